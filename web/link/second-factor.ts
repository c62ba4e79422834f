import type { MfaRequired, Tokens } from "../../src/sdk/client/api.gen.ts";
import type { Api, Refusal } from "./calls.ts";
import type { Texts } from "./texts.ts";
import { button, element, field, form, sentence, type View } from "./views.ts";

type Method = "totp" | "recovery_code" | "passkey";

/** The request options for a passkey. */
interface Challenge {
  passkey: { flow_id: string; public_key: PublicKeyCredentialRequestOptionsJSON } | null;
}

export interface Question {
  show(view: View): void;
  texts: Texts;
  api: Api;
  /** The link's values for the sentences. */
  values: Readonly<Record<string, string>>;
  demand: MfaRequired;
  /** Called when both factors are proven. */
  done(): void;
  /** Called when this page can do nothing more: the token is used, or the page supports none of the methods. */
  end(view: Pick<View, "heading" | "lead">): void;
  /** Returns the message for a refusal that is not about the code. */
  explain(refusal: Refusal): string;
}

interface Problems {
  wrong(): void;
  /** The code is right but was used before. It costs no try. */
  used(): void;
  other(text: string): void;
}

/** The wrong codes after which the appliance ends the token. */
const TRIES = 5;

/** Asks for a second factor by a method that the user has and this page supports. */
export function askSecondFactor(question: Question): void {
  const { texts, demand, values } = question;
  const end = ({ heading, lead }: { heading: string; lead: string }) =>
    question.end({ heading, lead: sentence(lead, values) });
  const methods = (["totp", "recovery_code", "passkey"] as const).filter(
    (method) => demand.methods.includes(method) && (method !== "passkey" || canUsePasskeys()),
  );
  // A recovery code is for the day when nothing else is left, so it is never asked for first.
  const first = methods.find((method) => method !== "recovery_code") ?? methods[0];
  const deadline = Date.now() + demand.mfa_token_expires_in * 1_000;
  let wrong = 0;

  const refused = (refusal: Refusal, problems: Problems): void => {
    const isWrong = refusal.code === "invalid_code";
    if (isWrong) wrong++;
    if (refusal.code === "code_used") problems.used();
    else if (!isWrong) problems.other(question.explain(refusal));
    else if (wrong >= TRIES || Date.now() > deadline) end(texts.factor.over);
    else problems.wrong();
  };
  const verify = async (answer: object, problems: Problems): Promise<void> => {
    const input = { mfa_token: demand.mfa_token, ...answer };
    const outcome = await question.api.post<Tokens>("/v1/auth/mfa/verify", input);
    if (outcome.ok) question.done();
    else refused(outcome.refusal, problems);
  };

  const ask = (method: Method): void => {
    const others = methods.filter((other) => other !== method).map((other) => switchTo(other));
    const content = method === "passkey" ? passkeyQuestion() : codeQuestion(method);
    const lead = sentence(texts.factor.lead, values);
    question.show({ tone: "ask", heading: texts.factor.heading, lead, content: [...content, ...others] });
  };
  const switchTo = (method: Method): HTMLElement => {
    const { useTotp, useRecovery, usePasskey } = texts.factor;
    const label = { totp: useTotp, recovery_code: useRecovery, passkey: usePasskey }[method];
    return button(label, label, async () => ask(method), "quiet");
  };

  const codeQuestion = (method: "totp" | "recovery_code"): HTMLElement[] => {
    const { factor } = texts;
    const [label, hint] = method === "totp" ? [factor.totp, factor.totpHint] : [factor.recovery, factor.recoveryHint];
    const numeric = { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "32" };
    const free = { autocomplete: "off", maxlength: "64", autocapitalize: "none", spellcheck: "false" };
    const code = field("code", label, hint, { type: "text", class: "code", ...(method === "totp" ? numeric : free) });
    const alert = element("p", { role: "alert", class: "alert" });
    const submit = button(
      factor.button,
      texts.working,
      async () => {
        alert.textContent = "";
        const value = code.input.value.trim();
        if (value === "") return code.showProblem(factor.missing);
        code.showProblem(null);
        const other = (text: string) => alert.replaceChildren(text);
        const used = () => code.showProblem(factor.used);
        await verify({ method, code: value }, { wrong: () => code.showProblem(factor.wrong), used, other });
      },
      "submit",
    );
    return [form([code], submit, alert)];
  };

  const passkeyQuestion = (): HTMLElement[] => {
    const { factor } = texts;
    const alert = element("p", { role: "alert", class: "alert" });
    const other = (text: string) => alert.replaceChildren(text);
    const wrong = () => other(factor.passkeyFailed);
    const problems = { wrong, used: wrong, other };
    const use = button(factor.passkey, texts.working, async () => {
      alert.replaceChildren();
      const challenge = await question.api.post<Challenge>("/v1/auth/mfa/challenge", { mfa_token: demand.mfa_token });
      if (!challenge.ok) return refused(challenge.refusal, problems);
      const { passkey } = challenge.body;
      const response = passkey ? await answerOf(passkey.public_key) : null;
      if (!passkey || !response) return wrong();
      await verify({ method: "passkey", flow_id: passkey.flow_id, response }, problems);
    });
    return [alert, use];
  };
  if (demand.setup_required) end(texts.factor.setup);
  else if (first === undefined) end(texts.factor.elsewhere);
  else ask(first);
}

function canUsePasskeys(): boolean {
  return "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

/** @returns null if the user or the browser refuses */
async function answerOf(options: PublicKeyCredentialRequestOptionsJSON): Promise<object | null> {
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey });
    return credential instanceof PublicKeyCredential ? credential.toJSON() : null;
  } catch {
    return null;
  }
}
