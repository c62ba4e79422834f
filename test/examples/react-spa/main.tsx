import { createRoot } from "react-dom/client";
import { createClient, createSession } from "sallyport/client";
import { SallyportProvider, SignedIn, SignedOut, SignUp, UserButton, useAuth, useUser } from "sallyport/react";

// The bundler fills these in, see serve.ts. Both are public.
const session = createSession(
  createClient({ url: process.env.SALLYPORT_URL, applicationId: process.env.SALLYPORT_APP_ID }),
);

function Notes() {
  const user = useUser();
  const auth = useAuth();
  /** Sends the access token to our own server, which verifies it. */
  async function load() {
    const response = await auth?.fetch("/api/notes");
    document.title = response?.ok ? await response.text() : "refused";
  }
  return (
    <>
      <UserButton />
      <p>Hello, {user?.email}</p>
      <button type="button" onClick={load}>
        Load my notes
      </button>
    </>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <SallyportProvider session={session}>
      <main>
        <h1>Notes</h1>
        <SignedIn>
          <Notes />
        </SignedIn>
        <SignedOut>
          <SignUp />
        </SignedOut>
      </main>
    </SallyportProvider>,
  );
}
