/** A mail in /dev/inbox.json. */
export interface Mail {
  id: string;
  to: string;
  from: string;
  reply_to: string | null;
  subject: string;
  language: string;
  code: string | null;
  link: string | null;
  text: string;
  created_at: string;
}

const PAUSE = 1_500;
const PATIENCE = 10_000;
const COPIED = 1_500;

let mails: readonly Mail[] = [];
/** The content of the article, so that a preview is not reloaded at each poll. */
let shown: string | null = null;
let hasLooked = false;

function part<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`this page has no ${id}`);
  return found as T;
}

const say = (id: string, text: string) => {
  const element = part(id);
  if (element.textContent !== text) element.textContent = text;
};

function element(tag: string, className: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const chosenId = () => decodeURIComponent(location.hash.slice(1));

function timeOf(mail: Mail): string {
  return new Date(mail.created_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function item(mail: Mail): HTMLElement {
  const entry = document.createElement("li");
  const link = document.createElement("a");
  link.href = `#${mail.id}`;
  link.dataset.id = mail.id;
  const top = element("span", "top", "");
  top.append(element("span", "to", mail.to), element("time", "time", timeOf(mail)));
  link.append(top, element("span", "subject", mail.subject));
  if (mail.code !== null) link.append(element("span", "chip", mail.code));
  entry.append(link);
  return entry;
}

/** Adds and removes entries without touching the others, so that the keyboard's focus stays. */
function renderList(): void {
  const list = part("list");
  const known = new Map([...list.children].map((entry) => [entry.querySelector("a")?.dataset.id, entry]));
  const wanted = mails.map((mail) => known.get(mail.id) ?? item(mail));
  for (const entry of [...list.children]) if (!wanted.includes(entry)) entry.remove();
  wanted.forEach((entry, index) => {
    if (list.children[index] !== entry) list.insertBefore(entry, list.children[index] ?? null);
  });
  for (const link of list.querySelectorAll("a")) {
    if (link.dataset.id === chosenId()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  part("nothing").hidden = mails.length > 0;
  part("empty").hidden = mails.length === 0;
  part("choose").textContent = mails.length === 0 ? "" : "Choose a mail.";
  say("count", mails.length === 0 ? "" : `${mails.length} ${mails.length === 1 ? "mail" : "mails"}`);
  document.title = mails.length === 0 ? "Inbox: Sallyport" : `(${mails.length}) Inbox: Sallyport`;
}

function fact(name: string, value: string | null): HTMLElement[] {
  return value === null ? [] : [element("dt", "", name), element("dd", "", value)];
}

function renderMail(): void {
  const mail = mails.find(({ id }) => id === chosenId());
  part("panes").classList.toggle("reading", mail !== undefined);
  part("article").hidden = mail === undefined;
  part("choose").hidden = mail !== undefined;
  if (shown === (mail?.id ?? null)) return;
  shown = mail?.id ?? null;
  if (!mail) return;
  say("subject", mail.subject);
  part("facts").replaceChildren(
    ...fact("To", mail.to),
    ...fact("From", mail.from),
    ...fact("Reply to", mail.reply_to),
    ...fact("Language", mail.language),
    ...fact("Time", new Date(mail.created_at).toLocaleString()),
  );
  part("acts").hidden = mail.code === null && mail.link === null;
  part("code-act").hidden = mail.code === null;
  say("code", mail.code ?? "");
  part("link-act").hidden = mail.link === null;
  say("link-text", mail.link ?? "");
  const link = part<HTMLAnchorElement>("link");
  if (mail.link !== null && /^https?:/.test(mail.link)) link.href = mail.link;
  else link.removeAttribute("href");
  say("text", mail.text);
  // A new frame each time: a new address in the old frame would add a step to the browser's history.
  const old = part<HTMLIFrameElement>("html");
  const preview = old.cloneNode() as HTMLIFrameElement;
  preview.src = `/dev/inbox/${encodeURIComponent(mail.id)}`;
  old.replaceWith(preview);
}

function render(): void {
  renderList();
  renderMail();
}

/** Announces new mails to people who do not see the list grow. */
function announce(before: readonly Mail[]): void {
  const known = new Set(before.map(({ id }) => id));
  const fresh = mails.filter(({ id }) => !known.has(id));
  if (hasLooked && fresh[0]) say("news", `New mail to ${fresh[0].to}: ${fresh[0].subject}`);
}

async function look(): Promise<void> {
  try {
    const response = await fetch("/dev/inbox.json", { cache: "no-cache", signal: patience() });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const before = mails;
    mails = ((await response.json()) as { data: Mail[] }).data;
    announce(before);
    hasLooked = true;
    part("trouble").hidden = true;
    render();
  } catch {
    part("trouble").hidden = false;
  }
}

async function watch(): Promise<void> {
  for (;;) {
    if (!document.hidden) await look();
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function copies(buttonId: string, sourceId: string, change: (text: string) => string): void {
  const button = part<HTMLButtonElement>(buttonId);
  button.addEventListener("click", async () => {
    const text = change(part(sourceId).textContent ?? "");
    const done = await navigator.clipboard.writeText(text).then(
      () => "Copied",
      () => "Not allowed",
    );
    button.textContent = done;
    setTimeout(() => {
      button.textContent = "Copy";
    }, COPIED);
  });
}

function shows(kind: "html" | "text"): void {
  for (const each of ["html", "text"] as const) {
    part(each).hidden = each !== kind;
    part(`show-${each}`).setAttribute("aria-pressed", String(each === kind));
  }
}

part("show-html").addEventListener("click", () => shows("html"));
part("show-text").addEventListener("click", () => shows("text"));
copies("copy-code", "code", (text) => text.replaceAll(" ", ""));
copies("copy-link", "link-text", (text) => text);
part("empty").addEventListener("click", async () => {
  await fetch("/dev/inbox.json", { method: "DELETE" }).catch(() => undefined);
  history.replaceState(null, "", location.pathname);
  await look();
});
addEventListener("hashchange", () => {
  render();
  if (shown !== null) part("mail").focus({ preventScroll: true });
  scrollTo(0, 0);
});
document.addEventListener("visibilitychange", () => void look());
void watch();

/** A signal that fires after a time, also in browsers that have no `AbortSignal.timeout` (before Chrome 103 and Safari 16). */
function patience(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), PATIENCE);
  return controller.signal;
}
