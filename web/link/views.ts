type Child = Node | string | null;

/** Makes an element. Texts become text nodes, so no text from elsewhere is ever parsed as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Fills a text with its values, each in an element of its own. */
export function sentence(text: string, values: Readonly<Record<string, string>>): (Node | string)[] {
  return text.split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    const value = name === undefined ? undefined : values[name];
    return value === undefined ? part : element("strong", {}, value);
  });
}

export type Tone = "ask" | "done" | "wrong" | "wait";

const SHAPES: Record<Tone, string> = {
  ask: "M7 20V11a5 5 0 0 1 10 0v9zM12 20v-5",
  done: "M6 12.5l4 4 8-9",
  wrong: "M12 6.5v7M12 17v.5",
  wait: "M12 4a8 8 0 1 0 0 16 8 8 0 1 0 0-16M12 8v4l2.5 2",
};
const SVG = "http://www.w3.org/2000/svg";

function icon(tone: Tone): Element {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon ${tone}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[tone]);
  svg.append(path);
  return svg;
}

export interface View {
  tone: Tone;
  heading: string;
  lead: readonly (Node | string)[];
  content?: readonly (Node | null)[];
}

/** The page's only card. Each view focuses its heading, so that a screen reader announces the result. */
export function show(card: HTMLElement, { tone, heading, lead, content = [] }: View): void {
  const isFirst = card.hidden;
  const title = element("h1", { id: "heading", tabindex: "-1" }, heading);
  const words = lead.length > 0 ? element("p", { class: "lead" }, ...lead) : null;
  card.replaceChildren(icon(tone), ...[title, words, ...content].filter((part) => part !== null));
  card.hidden = false;
  document.title = heading;
  if (!isFirst) title.focus();
}

/** A button that runs once at a time, and shows while it runs. */
export function button(label: string, working: string, act: () => Promise<void>, kind = "primary"): HTMLButtonElement {
  const made = element("button", { type: kind === "submit" ? "submit" : "button", class: "primary" }, label);
  if (kind === "quiet") made.className = "quiet";
  made.addEventListener("click", async (event) => {
    event.preventDefault();
    if (made.getAttribute("aria-disabled") === "true") return;
    made.setAttribute("aria-disabled", "true");
    made.textContent = working;
    try {
      await act();
    } finally {
      made.removeAttribute("aria-disabled");
      made.textContent = label;
    }
  });
  return made;
}

export interface Field {
  /** The whole field: label, hint and problem. */
  whole: HTMLElement;
  input: HTMLInputElement;
  /** Shows the problem and focuses the field; null removes the problem. */
  showProblem(problem: string | null): void;
}

export function field(
  name: string,
  label: string,
  hint: string,
  attributes: Readonly<Record<string, string>>,
  reveal?: { show: string; hide: string },
): Field {
  const input = element("input", { id: name, name, required: "", "aria-describedby": `${name}-hint`, ...attributes });
  const problem = element("p", { id: `${name}-problem`, class: "problem" });
  const toggle = reveal ? revealButton(input, label, reveal) : null;
  const showProblem = (text: string | null) => {
    problem.textContent = text ?? "";
    input.setAttribute("aria-invalid", String(text !== null));
    input.setAttribute("aria-describedby", text === null ? `${name}-hint` : `${name}-problem ${name}-hint`);
    if (text !== null) input.focus();
  };
  const whole = element(
    "div",
    { class: "field" },
    element("label", { for: name }, label),
    element("div", { class: "box" }, input, toggle),
    problem,
    element("p", { id: `${name}-hint`, class: "hint" }, hint),
  );
  return { whole, input, showProblem };
}

function revealButton(
  input: HTMLInputElement,
  label: string,
  { show: showText, hide }: { show: string; hide: string },
) {
  const toggle = element(
    "button",
    { type: "button", class: "reveal", "aria-label": `${showText}: ${label}` },
    showText,
  );
  toggle.addEventListener("click", () => {
    const isShown = input.type === "text";
    input.type = isShown ? "password" : "text";
    const next = isShown ? showText : hide;
    toggle.textContent = next;
    toggle.setAttribute("aria-label", `${next}: ${label}`);
  });
  return toggle;
}

/** A form with one button; a press or Enter runs `act`. */
export function form(fields: readonly Field[], submit: HTMLButtonElement, alert: HTMLElement): HTMLFormElement {
  const made = element("form", { method: "post", novalidate: "" }, alert, ...fields.map(({ whole }) => whole), submit);
  made.addEventListener("submit", (event) => event.preventDefault());
  return made;
}
