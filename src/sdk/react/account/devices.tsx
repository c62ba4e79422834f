import type { ReactElement } from "react";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { ConfirmButton } from "../confirm-button.tsx";
import { useProvided } from "../context.ts";
import { usePageAuth } from "../hooks.ts";
import { useDates } from "./dates.ts";
import { Entries, usePages } from "./pages.tsx";
import { Section } from "./section.tsx";

/** The devices that skip the second factor. */
export function DevicesSection(): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const { day } = useDates();
  const calls = () => auth().client.me.trustedDevices;
  const devices = usePages((input) => calls().list.query(input));
  const remove = useAction(async (id: string) => {
    await calls().remove.mutate({ id });
    await devices.reload();
  });

  return (
    <Section title={texts.devices} intro={texts.devicesIntro}>
      <Entries of={devices} none={texts.noDevices}>
        {({ id, device, created_at, expires_at }) => {
          const name = device ?? texts.unknownDevice;
          return (
            <>
              <div>
                <p className="sallyport-entry-name">{name}</p>
                <p className="sallyport-hint">
                  {texts.addedAt(day(created_at))}, {texts.until(day(expires_at))}
                </p>
              </div>
              <ConfirmButton
                label={texts.remove}
                name={texts.removeOf(name)}
                question={texts.removeQuestion(name)}
                yes={texts.remove}
                isWaiting={remove.isWaiting}
                onConfirm={() => remove.run(id)}
              />
            </>
          );
        }}
      </Entries>
      <ActionStatus action={remove} />
    </Section>
  );
}
