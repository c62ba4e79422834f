/** The slug of the tenant whose issuer is the public base URL. */
export const DEFAULT_TENANT_SLUG = "default";

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  defaultApplicationId: string | null;
  disabled: boolean;
  /** The issuer URL. It comes from configuration, never from a request. */
  issuer: string;
  /** The language of mails to a reader without an available language. */
  language: string;
  /** null: the sender of the instance. */
  mailFrom: string | null;
  mailReplyTo: string | null;
  /** Security notices that are switched off. */
  noticesOff: ReadonlySet<string>;
}
