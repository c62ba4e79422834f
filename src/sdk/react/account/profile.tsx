import type { ReactElement } from "react";
import { useProvided } from "../context.ts";
import { Field, useFieldIds } from "../field.tsx";
import { Form } from "../form.tsx";
import { usePageAuth, useUser } from "../hooks.ts";
import { Section } from "./section.tsx";

/** The user's name. */
export function ProfileSection(): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const user = useUser();
  const idOf = useFieldIds();
  return (
    <Section title={texts.profile} intro={texts.profileIntro}>
      <Form
        isQuiet
        submit={texts.save}
        waiting={texts.saving}
        idOf={idOf}
        labels={{ display_name: texts.displayName }}
        check={() => ({})}
        send={async ({ display_name = "" }) => {
          const name = display_name.trim();
          await auth().client.me.update.mutate({ display_name: name === "" ? null : name });
          await auth().refresh();
          return texts.saved;
        }}
      >
        {(problems) => (
          <Field
            key={user?.id}
            id={idOf("display_name")}
            name="display_name"
            type="text"
            autoComplete="name"
            label={texts.displayName}
            defaultValue={user?.display_name ?? ""}
            problem={problems.display_name}
          />
        )}
      </Form>
    </Section>
  );
}
