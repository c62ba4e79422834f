import { type ReactElement, type ReactNode, useId } from "react";

export interface CardProps {
  title: string;
  children: ReactNode;
  footer?: ReactNode;
}

/** The frame of a component that stands alone, named by its title. */
export function Card({ title, children, footer }: CardProps): ReactElement {
  const heading = useId();
  return (
    <section className="sallyport sallyport-card" aria-labelledby={heading}>
      <h2 className="sallyport-title" id={heading}>
        {title}
      </h2>
      <div className="sallyport-stack">{children}</div>
      {footer}
    </section>
  );
}
