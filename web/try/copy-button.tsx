import { type ReactElement, useState } from "react";

const SHOWN = 1_500;

/** Copies a text that is made when the button is pressed, and says if the browser refused. */
export function CopyButton({ label, text }: { label: string; text: () => string | Promise<string> }): ReactElement {
  const [outcome, setOutcome] = useState<string | null>(null);

  async function copy(): Promise<void> {
    const outcome = await navigator.clipboard.writeText(await text()).then(
      () => "Copied",
      () => "Not allowed",
    );
    setOutcome(outcome);
    setTimeout(() => setOutcome(null), SHOWN);
  }

  return (
    <button type="button" className="act" onClick={copy}>
      <span aria-live="polite">{outcome ?? label}</span>
    </button>
  );
}
