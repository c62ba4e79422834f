import { useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient, createSession } from "sallyport/client";
import { Account, SallyportProvider, SignedIn, SignedOut, SignIn, SignUp, UserButton, useUser } from "sallyport/react";

// Filled in when it is bundled, see serve.ts: both are public.
const session = createSession(
  createClient({ url: process.env.SALLYPORT_URL, applicationId: process.env.SALLYPORT_APP_ID }),
);

/** Second factor, passkeys, links and codes are asked for inside. */
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
