import { useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient, createSession } from "sallyport/client";
import { Account, SallyportProvider, SignedIn, SignedOut, SignIn, SignUp, UserButton, useUser } from "sallyport/react";

// The bundler fills these in, see serve.ts. Both are public.
const session = createSession(
  createClient({ url: process.env.SALLYPORT_URL, applicationId: process.env.SALLYPORT_APP_ID }),
);

/** The components ask for the second factor, passkeys, links and codes. */
function Door() {
  const [isNew, setIsNew] = useState(false);
  return isNew ? <SignUp signIn={() => setIsNew(false)} /> : <SignIn signUp={() => setIsNew(true)} />;
}

function Inside() {
  const user = useUser();
  return (
    <>
      <UserButton />
      <p>Hello, {user?.email}</p>
      <Account />
    </>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <SallyportProvider session={session}>
      <main>
        <h1>Accounts</h1>
        <SignedIn>
          <Inside />
        </SignedIn>
        <SignedOut>
          <Door />
        </SignedOut>
      </main>
    </SallyportProvider>,
  );
}
