import type { TestApp } from "./app.ts";
import type { Answer } from "./client.ts";

/** Measures the answer and the cost of one call: everything that could distinguish two accounts. */
export async function workOf(app: TestApp, run: () => Promise<Answer>) {
  const hashes = app.metric("sallyport_password_hashes_total");
  const mails = await app.mailsWritten();
  const { reads, writes, statementsInWrites } = app.storage;
  const answer = await run();
  const cost = {
    hashes: app.metric("sallyport_password_hashes_total") - hashes,
    reads: app.storage.reads - reads,
    writes: app.storage.writes - writes,
    statementsInWrites: app.storage.statementsInWrites - statementsInWrites,
  };
  return { ...shown(answer), ...cost, mails: (await app.mailsWritten()) - mails };
}

function shown(answer: Answer) {
  const { request_id: _, ...error } = answer.body.error ?? {};
  return {
    status: answer.status,
    error,
    fields: Object.keys(answer.body).sort(),
    headers: [...answer.headers.keys()].sort(),
    length: answer.text.length,
    cookies: answer.cookies.length,
  };
}
