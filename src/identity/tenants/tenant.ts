/** The slug of the tenant whose issuer is the public base URL itself. */
export const DEFAULT_TENANT_SLUG = "default";

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  defaultApplicationId: string | null;
  disabled: boolean;
  /** The issuer URL: from configuration, never from a request. */
  issuer: string;
  /** Of its mails, where the reader asks for none that is there. */
  language: string;
  /** null: the instance's own. */
  mailFrom: string | null;
  mailReplyTo: string | null;
  /** Security notices that are not sent. */
  noticesOff: ReadonlySet<string>;
}
