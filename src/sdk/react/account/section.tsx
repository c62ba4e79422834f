import { type FocusEvent, type ReactElement, type ReactNode, useEffect, useId, useRef } from "react";

export interface SectionProps {
  title: string;
  intro?: string | undefined;
  children: ReactNode;
}

/**
 * One part of the account, named by its heading. The heading takes the focus if the focused element disappears, such as a
 * removed entry; otherwise the focus would fall to the top of the page.
 */
export function Section({ title, intro, children }: SectionProps): ReactElement {
  const heading = useId();
  const title3 = useRef<HTMLHeadingElement>(null);
  const holdsFocus = useRef(false);

  useEffect(() => {
    if (holdsFocus.current && document.activeElement === document.body) title3.current?.focus();
  });

  function onBlur({ target }: FocusEvent): void {
    // An element that is being removed loses the focus first, and disappears a moment later.
    setTimeout(() => {
      if (target.isConnected)
        holdsFocus.current = title3.current?.parentElement?.contains(document.activeElement) ?? false;
    });
  }

  return (
    <section
      className="sallyport-section"
      aria-labelledby={heading}
      onFocus={() => {
        holdsFocus.current = true;
      }}
      onBlur={onBlur}
    >
      <h3 className="sallyport-subtitle" id={heading} tabIndex={-1} ref={title3}>
        {title}
      </h3>
      {intro !== undefined && <p className="sallyport-hint sallyport-intro">{intro}</p>}
      <div className="sallyport-stack">{children}</div>
    </section>
  );
}
