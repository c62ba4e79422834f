import type { Language } from "./template.ts";

const ONCE = "The link and the code work once, within {{minutes}} minutes.";
const IGNORE = "If you did not ask for this, ignore this mail: without the link or the code, nothing happens.";
const OTHER_DEVICE = "On another device? Enter this code there:";
const WHERE = "Device: {{device}}\nNetwork address: {{address}}\nTime: {{time}}";
const NOT_YOU =
  "If this was not you, somebody else has access to your account: set a new password now, and sign out the devices that you do not know.";

export const english: Language = {
  name: "English",
  factors: { totp: "authenticator app", passkey: "passkey", recovery_codes: "recovery codes" },
  device: (english) => english,
  templates: {
    sign_up: {
      subject: "Confirm your email address for {{application}}",
      body: `Welcome to {{application}}. Confirm that this is your email address, and your account is ready.

[Confirm email address]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} ${IGNORE}`,
    },
    sign_up_known: {
      subject: "You already have an account at {{application}}",
      body: `Somebody, perhaps you, tried to sign up to {{application}} with this email address. There is an account with it already: sign in as usual, or have your password reset there.

[Go to {{application}}]({{home}})

If it was not you, there is nothing to do. Your account was not changed.`,
    },
    verify_email: {
      subject: "Confirm your email address for {{application}}",
      body: `Confirm that this email address is yours, and that it belongs to your account at {{application}}.

[Confirm email address]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} If you have no account at {{application}}, do not confirm: somebody has mistyped their address.`,
    },
    email_known: {
      subject: "Somebody tried to add your email address at {{application}}",
      body: `Somebody tried to add this email address to another account at {{application}}. It belongs to your account and stays there: nothing was changed.

If it was you, remove the address from your other account first, or sign in to that one.`,
    },
    sign_in_link: {
      subject: "Sign in to {{application}}",
      body: `Use this link to sign in to {{application}}.

[Sign in]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} Do not pass them on: whoever has one of them can sign in as you. ${IGNORE}`,
    },
    sign_in_code: {
      subject: "{{code}} is your code for {{application}}",
      body: `Enter this code to sign in to {{application}}.

{{code}}

The code works once, within {{minutes}} minutes. Do not pass it on: nobody from {{application}} will ask you for it.

If you did not ask for this, ignore this mail: without the code, nothing happens.`,
    },
    reset_password: {
      subject: "Reset your password for {{application}}",
      body: `Somebody, hopefully you, wants to set a new password for your account at {{application}}.

[Set a new password]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} If it was not you, ignore this mail: your password stays as it is.`,
    },
    email_changed: {
      subject: "Your email address at {{application}} was changed",
      body: `Your account at {{application}} now uses {{new_email}} instead of {{old_email}}.

If this was not you, undo the change within {{days}} days: you get your old address back, all devices are signed out, and you set a new password.

[Undo the change]({{link}})`,
    },
    email_added: {
      subject: "An email address was added to your account at {{application}}",
      body: `{{email}} now belongs to your account at {{application}}.

${NOT_YOU}`,
    },
    email_removed: {
      subject: "An email address was removed from your account at {{application}}",
      body: `{{email}} no longer belongs to your account at {{application}}.

${NOT_YOU}`,
    },
    password_changed: {
      subject: "Your password at {{application}} was changed",
      body: `The password of your account at {{application}} was changed, and your other devices were signed out.

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
      body: `A recovery code was used to sign in to your account at {{application}}. Codes that are left: {{left}}.

${WHERE}

${NOT_YOU}`,
    },
    second_factor_refused: {
      subject: "Somebody was stopped at the second step of {{application}}",
      body: `Somebody has passed the first step of signing in to your account at {{application}}, and then gave too many wrong answers at the second. They were not let in.

${WHERE}

If this was not you, somebody knows your password or reads your mail: set a new password now.`,
    },
    new_device: {
      subject: "New sign-in to {{application}}",
      body: `Somebody signed in to your account at {{application}} on a device that it has not seen before.

${WHERE}

If it was you, there is nothing to do.

${NOT_YOU}`,
    },
    account_deleted: {
      subject: "Your account at {{application}} was deleted",
      body: `Your account at {{application}} and the data in it were deleted on {{time}}, as you asked.

This is the last mail about it.`,
    },
    test: {
      subject: "A test mail from {{tenant}}",
      body: `This test was sent on {{time}} by the Sallyport of {{tenant}}. That you can read it means that mail works.`,
    },
  },
};
