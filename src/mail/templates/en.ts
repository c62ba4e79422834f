import type { Language } from "./template.ts";

const IGNORE = "If you did not ask for this, ignore this mail: nothing happens without the link or the code.";
const WHERE = "{{device}}\n{{address}}\n{{time}}";
const NOT_YOU = "If this was not you, set a new password now and look at the devices that are signed in.";

export const english: Language = {
  sign_up: {
    subject: "Confirm your address for {{application}}",
    body: `Welcome to {{application}}. Confirm that this is your address, and your account is ready.

[Confirm the address]({{link}})

On another device, type this code instead:

{{code}}

Link and code are good for {{minutes}} minutes, once. ${IGNORE}`,
  },
  sign_up_known: {
    subject: "You have an account at {{application}} already",
    body: `Somebody, perhaps you, wanted to sign up to {{application}} with this address. It has an account already: sign in as usual, or ask for a new password there.

[Go to {{application}}]({{home}})

If it was not you, there is nothing to do: nothing was changed.`,
  },
  verify_email: {
    subject: "Confirm your address for {{application}}",
    body: `Confirm that this address is yours and belongs to your account at {{application}}.

[Confirm the address]({{link}})

On another device, type this code instead:

{{code}}

Link and code are good for {{minutes}} minutes, once. If you have no account there, do not confirm: somebody has mistyped an address.`,
  },
  email_known: {
    subject: "Your address at {{application}}",
    body: `Somebody wanted to add this address to another account at {{application}}. It belongs to your account, and stays there: nothing was changed.`,
  },
  sign_in_link: {
    subject: "Sign in to {{application}}",
    body: `This link signs you in to {{application}}.

[Sign in]({{link}})

On another device, type this code instead:

{{code}}

Link and code are good for {{minutes}} minutes, once. Give them to nobody. ${IGNORE}`,
  },
  sign_in_code: {
    subject: "Your code for {{application}}: {{code}}",
    body: `This code signs you in to {{application}}.

{{code}}

It is good for {{minutes}} minutes, once. Give it to nobody. ${IGNORE}`,
  },
  reset_password: {
    subject: "Set a new password for {{application}}",
    body: `Somebody, hopefully you, asked for a new password at {{application}}.

[Set a new password]({{link}})

On another device, type this code instead:

{{code}}

Link and code are good for {{minutes}} minutes, once. ${IGNORE}`,
  },
  email_changed: {
    subject: "Your address at {{application}} was changed",
    body: `Your account at {{application}} now uses {{new_email}} in place of {{old_email}}.

If this was not you, undo it within {{days}} days: the old address is yours again, everybody is signed out, and you set a new password.

[Undo the change]({{link}})`,
  },
  email_added: {
    subject: "An address was added to your account at {{application}}",
    body: `{{email}} now belongs to your account at {{application}}.

${NOT_YOU}`,
  },
  email_removed: {
    subject: "An address was removed from your account at {{application}}",
    body: `{{email}} no longer belongs to your account at {{application}}.

${NOT_YOU}`,
  },
  password_changed: {
    subject: "Your password at {{application}} was changed",
    body: `The password of your account at {{application}} was changed, and all other devices were signed out.

${WHERE}

${NOT_YOU}`,
  },
  factor_added: {
    subject: "A way to sign in was added at {{application}}",
    body: `This was added to your account at {{application}}: {{factor}}.

${WHERE}

${NOT_YOU}`,
  },
  factor_removed: {
    subject: "A way to sign in was removed at {{application}}",
    body: `This was removed from your account at {{application}}: {{factor}}.

${WHERE}

${NOT_YOU}`,
  },
  recovery_code_used: {
    subject: "A recovery code was used at {{application}}",
    body: `Somebody signed in to your account at {{application}} with a recovery code. Codes left: {{left}}.

${WHERE}

${NOT_YOU}`,
  },
  new_device: {
    subject: "New sign-in to {{application}}",
    body: `Your account at {{application}} was signed in to from a device that it has not seen before.

${WHERE}

If it was you, there is nothing to do. ${NOT_YOU}`,
  },
  account_deleted: {
    subject: "Your account at {{application}} was deleted",
    body: `Your account at {{application}} was deleted on {{time}}, as you asked. This is the last mail about it.`,
  },
  test: {
    subject: "A test from {{tenant}}",
    body: `Mail works. This was sent on {{time}} by the Sallyport of {{tenant}}.`,
  },
};
