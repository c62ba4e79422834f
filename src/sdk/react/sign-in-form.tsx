import { type ReactElement, useRef } from "react";
import type { MailSent, ManagedApplication } from "../client/api.gen.ts";
import type { SignInAnswer, SignInTarget } from "../client/session/sign-ins.ts";
import { Card } from "./card.tsx";
import { useProvided } from "./context.ts";
import { Field, PasswordField, useFieldIds } from "./field.tsx";
import { Form, type Values } from "./form.tsx";
import { usePageAuth } from "./hooks.ts";
import { Note } from "./note.tsx";
import { type Other, OtherWay } from "./other-way.tsx";
import { usePasskeySuggestions } from "./passkey-suggestions.ts";

/** Every method of the server but anonymous sign-in, which needs no form. */
export type SignInMethod = Exclude<ManagedApplication["sign_in_methods"][number], "anonymous">;
type MailMethod = "magic_link" | "email_code";

export interface SignInFormProps {
  methods: readonly SignInMethod[];
  target: SignInTarget;
  /** The address that the user typed before. */
  email?: string | undefined;
  /** Why the user is back at this form. */
  problem?: string | null | undefined;
  onAnswer: (answer: SignInAnswer) => Promise<void>;
  onMailSent: (sent: MailSent, email: string, method: MailMethod) => void;
  signUp?: Other | undefined;
  forgotPassword: string | ((email: string) => void);
}

/** The first factor: one form with a button for each method. Enter takes the first. */
export function SignInForm(props: SignInFormProps): ReactElement {
  const { methods, target, email: known, problem, onAnswer, onMailSent, signUp, forgotPassword } = props;
  const { texts } = useProvided();
  const auth = usePageAuth();
  const idOf = useFieldIds();
  const email = useRef<HTMLInputElement>(null);
  const hasPassword = methods.includes("password");
  const hasPasskey = methods.includes("passkey");
  const mails = methods.filter((method): method is MailMethod => method === "magic_link" || method === "email_code");
  const ways: Record<SignInMethod, string> = {
    password: texts.signIn,
    magic_link: texts.mailLink,
    email_code: texts.mailCode,
    passkey: texts.usePasskey,
  };
  const first = hasPassword ? "password" : (mails[0] ?? "passkey");
  const others = [...mails, ...(hasPasskey ? (["passkey"] as const) : [])].filter((method) => method !== first);
  const hasEmail = first !== "passkey";
  usePasskeySuggestions(hasPasskey && hasEmail, target, onAnswer);

  function check(values: Values, via: string): Values {
    const method = via || first;
    if (method === "passkey") return {};
    return {
      ...(values.email?.trim() ? {} : { email: texts.emailMissing }),
      ...(method !== "password" || values.password ? {} : { password: texts.passwordMissing }),
    };
  }

  async function send({ email: address = "", password = "" }: Values, via: string): Promise<void> {
    switch ((via || first) as SignInMethod) {
      case "password":
        return onAnswer(await auth().signIn({ email: address, password, ...target }));
      case "passkey":
        return onAnswer(await auth().signInWithPasskey(target));
      default: {
        const method = (via || first) as MailMethod;
        const sent = await auth().startEmailSignIn({ email: address, method });
        return onMailSent(sent, address.trim(), method);
      }
    }
  }

  const footer = signUp && <OtherWay question={texts.noAccount} label={texts.signUp} other={signUp} />;
  return (
    <Card title={texts.signIn} footer={footer}>
      <Note />
      {problem && (
        <p className="sallyport-problem" role="alert">
          {problem}
        </p>
      )}
      <Form
        submit={ways[first]}
        waiting={texts.signingIn}
        idOf={idOf}
        labels={{ email: texts.email, password: texts.password }}
        check={check}
        send={send}
        actions={others.length > 0 && <OtherButtons others={others} ways={ways} />}
      >
        {(problems) =>
          hasEmail && (
            <>
              <Field
                id={idOf("email")}
                name="email"
                type="email"
                autoComplete={hasPasskey ? "username webauthn" : "username"}
                label={texts.email}
                problem={problems.email}
                defaultValue={known}
                inputRef={email}
                required
              />
              {hasPassword && (
                <div className="sallyport-field">
                  <PasswordField
                    id={idOf("password")}
                    name="password"
                    autoComplete="current-password"
                    label={texts.password}
                    problem={problems.password}
                    required
                  />
                  <Forgotten way={forgotPassword} emailOf={() => email.current?.value ?? ""} />
                </div>
              )}
            </>
          )
        }
      </Form>
    </Card>
  );
}

function OtherButtons({ others, ways }: { others: readonly SignInMethod[]; ways: Record<SignInMethod, string> }) {
  const { texts } = useProvided();
  return (
    <>
      <p className="sallyport-or">
        <span>{texts.or}</span>
      </p>
      {others.map((method) => (
        <button key={method} type="submit" name="via" value={method} className="sallyport-button">
          {ways[method]}
        </button>
      ))}
    </>
  );
}

function Forgotten({ way, emailOf }: { way: string | ((email: string) => void); emailOf: () => string }) {
  const { texts } = useProvided();
  return (
    <p className="sallyport-aside">
      {typeof way === "string" ? (
        <a className="sallyport-link" href={way}>
          {texts.forgotPassword}
        </a>
      ) : (
        <button type="button" className="sallyport-link" onClick={() => way(emailOf())}>
          {texts.forgotPassword}
        </button>
      )}
    </p>
  );
}
