import { type ReactElement, useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient, createSession, type SallyportSession } from "../../../src/sdk/client/index.ts";
import {
  SallyportProvider,
  SignedIn,
  SignedOut,
  SignIn,
  SignUp,
  UserButton,
  useAuth,
  useSession,
  useUser,
} from "../../../src/sdk/react/index.ts";

/** What the tests reach of this page. */
export interface ReactPage {
  session: SallyportSession;
  /** How often the whole was rendered. */
  renders: number;
}

const { url, applicationId } = document.documentElement.dataset;
const session = createSession(createClient({ url, applicationId }));
const shown: ReactPage = { session, renders: 0 };
Object.assign(window, { sallyport: shown });

function Page(): ReactElement {
  shown.renders++;
  const { status } = useSession();
  const user = useUser();
  const auth = useAuth();
  const [isNew, setNew] = useState(false);
  const [factors, setFactors] = useState("");
  return (
    <>
      <h1>Notes</h1>
      <p id="status">{status}</p>
      <SignedIn>
        <header className="bar">
          <UserButton />
        </header>
        <p id="greeting">Hello, {user?.display_name ?? user?.email}</p>
        <button
          id="who"
          type="button"
          onClick={async () => {
            const { user: me } = (await auth?.client.auth.session.query()) ?? { user: null };
            document.title = me?.email ?? "nobody";
          }}
        >
          Who am I?
        </button>
      </SignedIn>
      <SignedOut>
        {factors === "" ? null : <p id="factors">{factors}</p>}
        {isNew ? (
          <SignUp askName signIn={() => setNew(false)} />
        ) : (
          <SignIn signUp={() => setNew(true)} onMfaRequired={({ methods }) => setFactors(methods.join())} />
        )}
      </SignedOut>
    </>
  );
}

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <SallyportProvider session={session}>
    <Page />
  </SallyportProvider>,
);
