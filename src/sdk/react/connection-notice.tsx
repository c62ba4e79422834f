import { type ReactElement, useState } from "react";
import { useProvided } from "./context.ts";
import { useAuth, useSession } from "./hooks.ts";
import type { Texts } from "./texts/texts.ts";

interface Notice {
  title: string;
  text: string;
  /** A command for the application's operator. */
  command?: string;
  advice?: string;
}

/**
 * Says why sign-in is impossible here: the appliance does not answer, refuses this page, or the browser blocks the call. Shows
 * nothing while a user is signed in, or before the first answer.
 */
export function ConnectionNotice(): ReactElement | null {
  const { texts } = useProvided();
  const auth = useAuth();
  const state = useSession();
  const [isAsking, setAsking] = useState(false);
  if (state.status === "signed-in" || state.error === null) return null;
  const { title, text, command, advice } = noticeOf(state.error, texts);

  async function askAgain(): Promise<void> {
    setAsking(true);
    // The session's state shows the result.
    await auth?.refresh().catch(() => {});
    setAsking(false);
  }

  return (
    <section className="sallyport sallyport-notice" role="alert">
      <p className="sallyport-notice-title">{title}</p>
      <p>{text}</p>
      {advice && <p className="sallyport-hint">{advice}</p>}
      {command && (
        <p>
          <code className="sallyport-command" dir="ltr">
            {command}
          </code>
        </p>
      )}
      {state.status === "loading" && (
        <button type="button" className="sallyport-button" aria-disabled={isAsking} onClick={askAgain}>
          {isAsking ? texts.confirming : texts.tryAgain}
        </button>
      )}
    </section>
  );
}

function noticeOf(
  { code, message, details }: { code: string; message: string; details: unknown },
  texts: Texts,
): Notice {
  switch (code) {
    case "origin_not_allowed": {
      const { origin, application_id: id } = (details ?? {}) as Record<string, string>;
      return {
        title: texts.pageRefused,
        text: texts.pageRefusedText(origin ?? location.origin),
        advice: texts.pageRefusedAdvice,
        command: `sallyport app set ${id} --add-origin ${origin}`,
      };
    }
    case "mixed_content":
      return { title: texts.mixedContent, text: texts.mixedContentText, advice: texts.mixedContentAdvice };
    case "configuration_error":
      return { title: texts.pageRefused, text: message };
    default:
      return { title: texts.serviceDown, text: texts.serviceDownText };
  }
}
