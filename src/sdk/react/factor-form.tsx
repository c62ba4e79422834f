import { type ReactElement, type ReactNode, useState } from "react";
import type { SecondFactorProof } from "../client/session/second-factors.ts";
import { useProvided } from "./context.ts";
import { Checkbox, CodeField, useFieldIds } from "./field.tsx";
import { Form } from "./form.tsx";
import { LinkButton } from "./link-button.tsx";

/** In the order of preference. */
const KNOWN = ["passkey", "totp", "recovery_code"] as const;
type Method = (typeof KNOWN)[number];

export interface FactorFormProps {
  /** The appliance's names of the methods; unknown ones are left out. */
  methods: readonly string[];
  send: (proof: SecondFactorProof, rememberDevice: boolean) => Promise<void>;
  /** Whether to offer to skip the second factor on this device. */
  offerRemember?: boolean | undefined;
  /** Other ways, and the way back. */
  children?: ReactNode;
}

/** Asks for one of the user's second factors, and offers the others. */
export function FactorForm({ methods, send, offerRemember = false, children }: FactorFormProps): ReactElement {
  const { texts } = useProvided();
  const offered = KNOWN.filter((method) => methods.includes(method));
  const [chosen, setChosen] = useState<Method | null>(null);
  const idOf = useFieldIds();
  const method = chosen ?? offered[0] ?? "totp";
  const ways: Record<Method, string> = {
    passkey: texts.usePasskeyInstead,
    totp: texts.useTotp,
    recovery_code: texts.useRecoveryCode,
  };
  const isTotp = method === "totp";
  const label = isTotp ? texts.totpCode : texts.recoveryCode;

  return (
    <>
      <Form
        key={method}
        isNext
        submit={method === "passkey" ? texts.usePasskeyInstead : texts.confirm}
        waiting={texts.confirming}
        idOf={idOf}
        labels={{ code: label, remember: texts.rememberDevice }}
        check={({ code }): Record<string, string> =>
          method === "passkey" || code?.trim() ? {} : { code: texts.codeMissing }
        }
        send={({ code = "", remember }) =>
          send(method === "passkey" ? { method } : { method, code }, remember === "on")
        }
        told={
          method === "passkey"
            ? undefined
            : { invalid_code: { code: texts.invalidCode }, code_used: { code: texts.codeUsed } }
        }
      >
        {(problems) => (
          <>
            {method === "passkey" ? (
              <p>{texts.passkeyIntro}</p>
            ) : (
              <CodeField
                id={idOf("code")}
                name="code"
                label={label}
                hint={isTotp ? texts.totpCodeHint : texts.recoveryCodeHint}
                isText={!isTotp}
                problem={problems.code}
              />
            )}
            {offerRemember && <Checkbox id={idOf("remember")} name="remember" label={texts.rememberDevice} />}
          </>
        )}
      </Form>
      <div className="sallyport-ways">
        {offered
          .filter((other) => other !== method)
          .map((other) => (
            <LinkButton key={other} onClick={() => setChosen(other)}>
              {ways[other]}
            </LinkButton>
          ))}
        {children}
      </div>
    </>
  );
}
