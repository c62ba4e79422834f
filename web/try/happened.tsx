import type { ReactElement } from "react";
import type { LoggedRequest } from "./request-log.ts";

/** Every request of the page, in words. */
export function Happened({ requests }: { requests: readonly LoggedRequest[] }): ReactElement {
  return (
    <section className="panel happened" aria-labelledby="happened">
      <header>
        <h2 id="happened">What happened</h2>
        <span className="muted small">every request of this page, newest first</span>
      </header>
      <ol className="requests">
        {requests.map((request) => (
          <Line key={request.id} request={request} />
        ))}
      </ol>
    </section>
  );
}

function Line({ request }: { request: LoggedRequest }): ReactElement {
  const { at, method, path, status, milliseconds, meaning, code } = request;
  const isRefused = status === null || status >= 400 || code !== null;
  return (
    <li>
      <time className="muted number" dateTime={at.toISOString()}>
        {at.toLocaleTimeString()}
      </time>
      <code className="request" dir="ltr">
        {method} {path}
      </code>
      <span className={isRefused ? "number refused" : "number"}>{status ?? "none"}</span>
      <span className="muted number took">{milliseconds} ms</span>
      <span className="meaning">
        {meaning}
        {code !== null && (
          <>
            {" "}
            · <code>{code}</code>
          </>
        )}
      </span>
    </li>
  );
}
