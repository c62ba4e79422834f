import { type ReactElement, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { createClient, createSession } from "../../src/sdk/client/index.ts";
import {
  SallyportProvider,
  SignedIn,
  SignedOut,
  SignIn,
  type SignInMethod,
  SignUp,
  useUser,
} from "../../src/sdk/react/index.ts";
import { Authenticator, rememberedSecret } from "./authenticator.tsx";
import { Checklist } from "./checklist.tsx";
import { Happened } from "./happened.tsx";
import { Mails } from "./mails.tsx";
import { RequestLog } from "./request-log.ts";
import { SignedInView } from "./signed-in.tsx";

const NAMES: Readonly<Record<SignInMethod, string>> = {
  password: "Password",
  passkey: "Passkey",
  email_code: "Code by mail",
  magic_link: "Link by mail",
};
/** Offered from the start. A link opens another tab, so it is left for users to choose. */
const FIRST: readonly SignInMethod[] = ["password", "passkey", "email_code"];

const { applicationId = "", application = "", methods = "" } = document.documentElement.dataset;
const allowed = (Object.keys(NAMES) as SignInMethod[]).filter((method) => methods.split(" ").includes(method));
const log = new RequestLog();
const session = createSession(createClient({ url: location.origin, applicationId, fetch: log.fetch }));

function Page(): ReactElement {
  const requests = useSyncExternalStore(log.subscribe, log.requests);
  const secret = rememberedSecret(useSyncExternalStore(log.subscribe, log.secret)?.secret ?? null);
  return (
    <>
      <Checklist requests={requests} />
      <Application />
      <div className="beside">
        {secret !== null && <Authenticator secret={secret} />}
        <Mails />
      </div>
      <Happened requests={requests} />
    </>
  );
}

function Application(): ReactElement {
  const [offered, setOffered] = useState<readonly SignInMethod[]>(allowed.filter((method) => FIRST.includes(method)));
  const choose = (method: SignInMethod, isOn: boolean) =>
    setOffered(allowed.filter((each) => (each === method ? isOn : offered.includes(each))));
  return (
    <section className="panel application" aria-labelledby="application">
      <header>
        <h2 id="application">Your sign-in page</h2>
        <span className="muted small">made of sallyport/react</span>
      </header>
      <div className="stage">
        <SignedIn>
          <SignedInView />
        </SignedIn>
        <SignedOut>
          <Entrance offered={offered} />
        </SignedOut>
      </div>
      <footer>
        <fieldset>
          <legend className="small muted">It offers</legend>
          {allowed.map((method) => (
            <label key={method}>
              <input
                type="checkbox"
                checked={offered.includes(method)}
                disabled={offered.length === 1 && offered.includes(method)}
                onChange={(event) => choose(method, event.target.checked)}
              />
              {NAMES[method]}
            </label>
          ))}
        </fieldset>
        <code className="source" dir="ltr">
          {`<SignIn methods={${JSON.stringify(offered)}} />`}
        </code>
      </footer>
    </section>
  );
}

function Entrance({ offered }: { offered: readonly SignInMethod[] }): ReactElement {
  const [isNew, setNew] = useState(true);
  return (
    <div className="entrance">
      <p className="whose">
        <span aria-hidden="true">{[...application][0] ?? ""}</span> {application}
      </p>
      {isNew ? <SignUp signIn={() => setNew(false)} /> : <SignIn methods={offered} signUp={() => setNew(true)} />}
    </div>
  );
}

/** Announces sign-in and sign-out to people who do not see them. */
function Announcement(): ReactElement {
  const user = useUser();
  const before = useRef<string | null>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    const name = user?.email ?? null;
    if (name !== before.current) setText(name === null ? "Signed out" : `${name} is signed in`);
    before.current = name;
  }, [user]);
  return (
    <p className="unseen" role="status">
      {text}
    </p>
  );
}

const main = document.getElementById("main");
if (!main) throw new Error("the page has no main");
createRoot(main).render(
  <SallyportProvider session={session}>
    <Announcement />
    <Page />
  </SallyportProvider>,
);
