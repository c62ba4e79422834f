import { type ReactElement, useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient, createSession, type SallyportSession } from "../../../src/sdk/client/index.ts";
import {
  Account,
  german,
  SallyportProvider,
  SignedIn,
  SignedOut,
  SignIn,
  type SignInMethod,
  SignUp,
  UserButton,
  useAuth,
  useSession,
  useUser,
} from "../../../src/sdk/react/index.ts";

/** The parts of this page that the tests reach. */
export interface ReactPage {
  session: SallyportSession;
  /** How often the whole page was rendered. */
  renders: number;
}

const { url, applicationId } = document.documentElement.dataset;
const session = createSession(createClient({ url, applicationId }));
const shown: ReactPage = { session, renders: 0 };
Object.assign(window, { sallyport: shown });

/** The test's choice of components, in the page's address. */
const wanted = new URLSearchParams(location.search);
const methods = wanted.get("methods")?.split(",") as SignInMethod[] | undefined;

function Page(): ReactElement {
  shown.renders++;
  const { status } = useSession();
  const user = useUser();
  const [isAccount, setAccount] = useState(false);
  return (
    <>
      <h1>Notes</h1>
      <p id="status">{status}</p>
      <SignedIn>
        <header className="bar">
          <UserButton account={() => setAccount(true)} />
        </header>
        <p id="greeting">Hello, {user?.display_name ?? user?.email}</p>
        {isAccount ? <Account onDeleted={() => setAccount(false)} /> : <Notes />}
      </SignedIn>
      <SignedOut>
        <Entrance />
      </SignedOut>
    </>
  );
}

/** The application's own part. */
function Notes(): ReactElement {
  const auth = useAuth();
  const [answer, setAnswer] = useState("");
  return (
    <>
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
      <button
        id="publish"
        type="button"
        onClick={async () => setAnswer(String((await auth?.fetch("/api/publish", { method: "POST" }))?.status))}
      >
        Publish
      </button>
      <p id="answer" role="status">
        {answer}
      </p>
    </>
  );
}

function Entrance(): ReactElement {
  const [isNew, setNew] = useState(false);
  const [factors, setFactors] = useState("");
  if (factors !== "") return <p id="factors">{factors}</p>;
  if (isNew) return <SignUp askName signIn={() => setNew(false)} />;
  const ownFactors = wanted.has("own-factors")
    ? ({ methods: offered }: { methods: string[] }) => setFactors(offered.join())
    : undefined;
  return (
    <SignIn
      methods={methods}
      offerRemember={wanted.has("remember")}
      onMfaRequired={ownFactors}
      signUp={() => setNew(true)}
    />
  );
}

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <SallyportProvider
    session={session}
    texts={wanted.get("lang") === "de" ? german : undefined}
    notice={!wanted.has("no-notice")}
  >
    <Page />
  </SallyportProvider>,
);
