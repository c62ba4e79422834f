import type { AuthPasswordResetOutput, DescribedLink, MfaRequired } from "../../src/sdk/client/api.gen.ts";
import { Api, type Refusal } from "./calls.ts";
import { askSecondFactor } from "./second-factor.ts";
import { momentOf, reasonIn, spanOf, textsFor } from "./texts.ts";
import { button, element, field, form, sentence, show, type Tone, type View } from "./views.ts";

/** The procedure that uses each kind of link, called only when the user presses the button. */
const ACTS = {
  sign_in: "/v1/auth/email/complete",
  sign_up: "/v1/auth/register/complete",
  verify_email: "/v1/auth/email/verify",
  reset_password: "/v1/auth/password/reset",
  undo_email_change: "/v1/auth/email/undo",
  restore_account: "/v1/auth/account/restore",
} as const satisfies Record<DescribedLink["kind"], `/v1/${string}`>;

/** The field for the password of each kind of link that sets one. */
const PASSWORD_OF: Partial<Record<DescribedLink["kind"], string>> = {
  sign_up: "password",
  reset_password: "new_password",
};

/** Refusals that another attempt with this link cannot change. */
const FINAL = [
  "invalid_code",
  "invalid_credentials",
  "invalid_input",
  "not_found",
  "unknown_application",
  "conflict",
  "asking_session_required",
  "factor_elsewhere",
];

const texts = textsFor(navigator.languages);
const card = document.querySelector<HTMLElement>("#card");
const care = document.querySelector<HTMLElement>("#care");

/** Takes the token out of the address, so that no history, copied address or screenshot holds it. */
function takeToken(): string {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token;
}

/** One link, from opening to end. */
class Visit {
  readonly #api = new Api(location.pathname.replace(/\/link$/, ""));
  #link: DescribedLink | null = null;
  #isLeft = false;

  constructor(
    private readonly card: HTMLElement,
    private readonly token: string,
  ) {}

  /** Another link was opened in this one's place, so a late answer is not shown. */
  leave(): void {
    this.#isLeft = true;
  }

  async begin(): Promise<void> {
    if (this.token === "") return this.#end("wrong", texts.missing);
    this.#show("wait", { heading: texts.loading, lead: "" });
    const answer = await this.#api.post<DescribedLink>("/v1/auth/link", { token: this.token });
    if (!answer.ok) return this.#refused(answer.refusal);
    this.#link = answer.body;
    this.#api.applicationId = answer.body.application.id;
    this.#offer(answer.body);
  }

  #offer(link: DescribedLink): void {
    if (!link.works_here) {
      this.#end("wrong", link.kind === "sign_in" ? texts.otherBrowser : texts.otherSession);
      return;
    }
    const { heading, lead, button: label } = texts.kinds[link.kind];
    const alert = element("p", { role: "alert", class: "alert" });
    const until = element("p", { class: "hint until" }, ...this.#said(texts.until));
    const name = PASSWORD_OF[link.kind];
    if (name !== undefined) {
      this.#show("ask", { heading, lead }, [this.#passwordForm(name, label, alert), until]);
    } else {
      const act = button(label, texts.working, () => this.#act({}, alert));
      this.#show("ask", { heading, lead }, [alert, act, until]);
    }
  }

  #passwordForm(name: string, label: string, alert: HTMLElement): HTMLElement {
    const said = texts.password;
    const attributes = { type: "password", autocomplete: "new-password", autocapitalize: "none", spellcheck: "false" };
    const password = field(name, said.label, said.hint, attributes, { show: said.show, hide: said.hide });
    const submit = button(
      label,
      texts.working,
      async () => {
        const { value } = password.input;
        password.showProblem(value === "" ? said.missing : null);
        const showProblem = (reason: string) => password.showProblem(reasonIn(texts, reason));
        if (value !== "") await this.#act({ [name]: value }, alert, { name, showProblem });
      },
      "submit",
    );
    const whole = form([password], submit, alert);
    // For password managers. It stays empty, because they would save a masked address as the account's name.
    whole.prepend(element("input", { type: "text", autocomplete: "username", hidden: "" }));
    return whole;
  }

  /** Uses the link. @param input the values beside the token; `field` shows their problem */
  async #act(
    input: object,
    alert: HTMLElement,
    field?: { name: string; showProblem(reason: string): void },
  ): Promise<void> {
    if (!this.#link) return;
    alert.replaceChildren();
    type Outcome = MfaRequired | { status: "success"; removed?: AuthPasswordResetOutput["removed"] };
    const answer = await this.#api.post<Outcome>(ACTS[this.#link.kind], { token: this.token, ...input });
    if (answer.ok) {
      if (answer.body.status === "mfa_required") this.#askSecondFactor(answer.body);
      else this.#done(answer.body.removed);
      return;
    }
    const { refusal } = answer;
    const reason = refusal.fields.find(({ path }) => path === field?.name)?.reason;
    if (field && reason !== undefined) field.showProblem(reason);
    else if (refusal.code === "forbidden" || FINAL.includes(refusal.code)) this.#refused(refusal);
    else alert.replaceChildren(this.#explain(refusal));
  }

  #askSecondFactor(demand: MfaRequired): void {
    askSecondFactor({
      show: (view) => this.#render(view),
      texts,
      api: this.#api,
      values: this.#values(),
      demand,
      done: () => this.#done(),
      end: (view) => this.#render({ tone: "wrong", ...view, content: this.#wayOn() }),
      explain: (refusal) => this.#explain(refusal),
    });
  }

  /** @param removed the kinds of credentials from before the first proof of the address */
  #done(removed: AuthPasswordResetOutput["removed"] = []): void {
    if (!this.#link) return;
    const { doneHeading: heading, doneLead } = texts.kinds[this.#link.kind];
    const names = removed.map((kind) => texts.removed[kind]).join(", ");
    const lead = names === "" ? doneLead : `${doneLead} ${texts.removedLead.replace("{removed}", names)}`;
    this.#end("done", { heading, lead });
  }

  #refused(refusal: Refusal): void {
    if (refusal.code === "forbidden") {
      this.#end("wrong", texts.forbidden);
    } else if (refusal.code === "factor_elsewhere") {
      this.#end("wrong", texts.factorElsewhere);
    } else if (FINAL.includes(refusal.code)) {
      this.#end("wrong", texts.invalid);
    } else {
      const { heading } = this.#sayingOf(refusal);
      const retry = button(texts.retry, texts.working, () => this.begin());
      this.#render({ tone: "wrong", heading, lead: [this.#wordsFor(refusal)], content: [retry] });
    }
  }

  #sayingOf({ code }: Refusal) {
    if (code === "unreachable") return texts.unreachable;
    return code === "rate_limited" || code === "overloaded" ? texts.busy : texts.failed;
  }

  #wordsFor(refusal: Refusal): string {
    const later = texts.later.replace("{time}", spanOf(texts, refusal.retryAfter ?? 60));
    return this.#sayingOf(refusal).lead.replace("{later}", later);
  }

  /** Explains a refusal after a press. */
  #explain(refusal: Refusal): string {
    return refusal.code === "unreachable" ? texts.lost : this.#wordsFor(refusal);
  }

  #end(tone: Tone, said: { heading: string; lead: string }): void {
    this.#show(tone, said, this.#wayOn());
  }

  /** The way back to the application, if it has named an address. */
  #wayOn(): HTMLElement[] {
    const home = this.#link?.application.home_url ?? null;
    if (home !== null && /^https?:\/\//.test(home)) {
      const name = this.#link?.application.name ?? "";
      return [
        element("a", { href: home, class: "primary", rel: "noreferrer" }, texts.go.replace("{application}", name)),
      ];
    }
    return this.#link ? [element("p", { class: "hint" }, texts.close)] : [];
  }

  #show(tone: Tone, { heading, lead }: { heading: string; lead: string }, content: HTMLElement[] = []): void {
    const name = this.#link?.application.name ?? "";
    const title = heading.replace("{application}", name);
    this.#render({ tone, heading: title, lead: lead === "" ? [] : this.#said(lead), content });
  }

  #render(view: View): void {
    if (!this.#isLeft) show(this.card, view);
  }

  #said(text: string) {
    return sentence(text, this.#values());
  }

  #values(): Record<string, string> {
    if (!this.#link) return {};
    const { email, application, expires_at: until, account, asked_at: at, asked_by: device } = this.#link;
    return {
      account: account ?? texts.noAccount,
      asked: momentOf(texts, at),
      device: device ?? texts.someDevice,
      email: email ?? texts.someAddress,
      application: application.name,
      time: momentOf(texts, until),
    };
  }
}

document.documentElement.lang = texts.language;
if (card && care) {
  let visit: Visit | null = null;
  const begin = () => {
    visit?.leave();
    visit = new Visit(card, takeToken());
    return visit.begin();
  };
  // Opening another link here changes only the fragment and loads nothing. Taking the token out fires no event.
  window.addEventListener("hashchange", begin);
  care.replaceChildren(texts.care);
  care.hidden = false;
  void begin();
}
