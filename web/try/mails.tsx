import { type ReactElement, useEffect, useState } from "react";
import { CopyButton } from "./copy-button.tsx";
import { fillCode } from "./fill.ts";

/** A mail in `/dev/inbox.json`. */
interface Mail {
  id: string;
  to: string;
  subject: string;
  code: string | null;
  link: string | null;
  text: string;
  created_at: string;
}

const PAUSE = 1_000;
const timeOf = (mail: Mail) => new Date(mail.created_at).toLocaleTimeString();

function useMails(): readonly Mail[] {
  const [mails, setMails] = useState<readonly Mail[]>([]);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout>;
    let newest = "";
    const look = async () => {
      const answer = document.hidden ? null : await fetch("/dev/inbox.json", { cache: "no-cache" }).catch(() => null);
      const list = answer?.ok ? ((await answer.json()) as { data: Mail[] }).data : null;
      if (isOver) return;
      const key = list?.map(({ id }) => id).join() ?? newest;
      if (list && key !== newest) setMails(list);
      newest = key;
      timer = setTimeout(look, PAUSE);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  return mails;
}

/** The newest mail, beside the form that asked for it. */
export function Mails(): ReactElement {
  const mails = useMails();
  const [mail] = mails;
  return (
    <section className="panel mails" aria-labelledby="mails">
      <header>
        <h2 id="mails">Mails {mails.length > 0 && <span className="muted number">{mails.length}</span>}</h2>
        <a className="small" href="/dev/inbox">
          Inbox
        </a>
      </header>
      <p className="unseen" role="status">
        {mail ? `New mail to ${mail.to}: ${mail.subject}` : ""}
      </p>
      {mail ? <Newest key={mail.id} mail={mail} /> : <NoMail />}
    </section>
  );
}

function NoMail(): ReactElement {
  return (
    <div className="empty">
      <p>
        <strong>No mail yet</strong>
      </p>
      <p className="muted">
        The mails that Sallyport sends come here and go nowhere else. Make an account and press{" "}
        <em>Confirm your address</em>.
      </p>
    </div>
  );
}

function Newest({ mail }: { mail: Mail }): ReactElement {
  const [hasNoField, setNoField] = useState(false);
  const { code } = mail;
  return (
    <article className="mail">
      <header>
        <h3>{mail.subject}</h3>
        <p className="muted small">
          To <bdi>{mail.to}</bdi> · <time dateTime={mail.created_at}>{timeOf(mail)}</time>
        </p>
      </header>
      {code !== null && (
        <div className="take">
          <p>
            <span className="muted small">Code</span>
            <bdi className="code" dir="ltr">
              {code}
            </bdi>
          </p>
          <button type="button" className="act" onClick={() => setNoField(!fillCode(code.replaceAll(" ", "")))}>
            Put it in the form
          </button>
        </div>
      )}
      {hasNoField && (
        <p className="small" role="status">
          No form is asking for a code.
        </p>
      )}
      <pre>{mail.text.trim()}</pre>
      <footer>
        <a className="small" href={`/dev/inbox#${mail.id}`}>
          As users see it
        </a>
        {mail.link !== null && (
          <a className="small" href={mail.link} target="_blank" rel="noopener">
            Open its link
          </a>
        )}
        {code !== null && <CopyButton label="Copy code" text={() => code.replaceAll(" ", "")} />}
      </footer>
    </article>
  );
}
