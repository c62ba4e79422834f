import type { ReactElement } from "react";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { ConfirmButton } from "../confirm-button.tsx";
import { useProvided } from "../context.ts";
import { usePageAuth } from "../hooks.ts";
import { useDates } from "./dates.ts";
import { Entries, usePages } from "./pages.tsx";
import { Section } from "./section.tsx";

/** The user's sessions, by device and network, with a button to end each. */
export function SessionsSection(): ReactElement {
  const { texts } = useProvided();
  const auth = usePageAuth();
  const { moment } = useDates();
  const calls = () => auth().client.auth.sessions;
  const sessions = usePages((input) => calls().list.query(input));
  const end = useAction(async (id: string) => {
    await calls().revoke.mutate({ id });
    await sessions.reload();
  });
  const endOthers = useAction(async () => {
    const { ended } = await calls().revokeOthers.mutate();
    await sessions.reload();
    return texts.othersEnded(ended);
  });

  return (
    <Section title={texts.sessions} intro={texts.sessionsIntro}>
      <Entries of={sessions}>
        {({ id, device, address, current, last_seen_at }) => {
          const name = device ?? texts.unknownDevice;
          return (
            <>
              <div>
                <p className="sallyport-entry-name">
                  {name}
                  {current && <span className="sallyport-badge">{texts.thisSession}</span>}
                </p>
                <p className="sallyport-hint">
                  {texts.activeAt(moment(last_seen_at))}
                  {address !== null && `, ${address}`}
                </p>
              </div>
              {!current && (
                <button
                  type="button"
                  className="sallyport-button"
                  aria-label={texts.signOutOf(name)}
                  aria-disabled={end.isWaiting}
                  onClick={() => end.run(id)}
                >
                  {texts.endSession}
                </button>
              )}
            </>
          );
        }}
      </Entries>
      <ActionStatus action={end} waiting={texts.signingOut} />
      {(sessions.first.data?.data.length ?? 0) > 1 && (
        <ConfirmButton
          label={texts.endOthers}
          question={texts.endOthersQuestion}
          yes={texts.endSession}
          isWaiting={endOthers.isWaiting}
          onConfirm={() => endOthers.run()}
        />
      )}
      <ActionStatus action={endOthers} waiting={texts.signingOut} />
    </Section>
  );
}
