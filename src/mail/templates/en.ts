import type { Language } from "./template.ts";

const ONCE = "You can use the link or the code once, within {{minutes}} minutes.";
const IGNORE = "If you did not ask for this, ignore this email: without the link or the code, nothing happens.";
const OTHER_DEVICE = "On another device? Enter this code there:";
const WHERE = "Device: {{device}}\nNetwork address: {{address}}\nTime: {{time}}";
const ASKED = "Asked for by: {{device}}\nNetwork address: {{address}}\nTime: {{time}}";
const NOT_YOU =
  "If this was not you, somebody else has access to your account. Set a new password now, and sign out all devices that you do not recognise.";

export const english: Language = {
  name: "English",
  factors: {
    totp: "authenticator app",
    passkey: "passkey",
    recovery_codes: "recovery codes",
    password: "password",
    address: "additional email addresses",
  },
  device: (english) => english,
  templates: {
    sign_up: {
      subject: "Confirm your email address for {{application}}",
      body: `Welcome to {{application}}. Confirm your email address, and your account is ready.

[Confirm email address]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} ${IGNORE}

${ASKED}`,
    },
    sign_up_known: {
      subject: "You already have an account at {{application}}",
      body: `Somebody, perhaps you, tried to sign up for {{application}} with this email address, but it already has an account. Sign in as usual, or reset your password there.

[Go to {{application}}]({{home}})

If this was not you, you need not do anything. Your account was not changed.`,
    },
    verify_email: {
      subject: "Confirm your email address for {{application}}",
      body: `Confirm that this email address is yours, and that it belongs to your account at {{application}}. Open the link in the browser where you are signed in, or enter the code there.

[Confirm email address]({{link}})

{{code}}

${ONCE} If you did not ask for this, do not confirm and tell nobody the code: somebody entered your address by mistake, or wants your account.

Account: {{account}}
${ASKED}`,
    },
    email_known: {
      subject: "Somebody tried to add your email address at {{application}}",
      body: `Somebody tried to add this email address to another account at {{application}}. It belongs to your account and stays there: nothing was changed.

If this was you, first remove the address from the account that has it, or sign in to that account.`,
    },
    sign_in_link: {
      subject: "Sign in to {{application}}",
      body: `Use this link to sign in to {{application}}. Open it in the browser where you asked for it: it works nowhere else.

[Sign in]({{link}})

Did you ask on another device? Enter this code there:

{{code}}

${ONCE} Do not share them: nobody from {{application}} will ask you for them, and anybody with the code could sign in as you. ${IGNORE}

${ASKED}`,
    },
    sign_in_code: {
      subject: "{{code}} is your code for {{application}}",
      body: `Enter this code to sign in to {{application}}.

{{code}}

You can use the code once, within {{minutes}} minutes. Do not share it: nobody from {{application}} will ask you for it.

If you did not ask for this, ignore this email: without the code, nothing happens.

${ASKED}`,
    },
    reset_password: {
      subject: "Reset your password for {{application}}",
      body: `Somebody, hopefully you, wants to set a new password for your account at {{application}}.

[Set a new password]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} If this was not you, ignore this email: your password stays as it is.

${ASKED}`,
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
      body: `A way to sign in was added to your account at {{application}}: {{factor}}.

${WHERE}

${NOT_YOU}`,
    },
    factor_removed: {
      subject: "A way to sign in was removed at {{application}}",
      body: `A way to sign in was removed from your account at {{application}}: {{factor}}.

${WHERE}

${NOT_YOU}`,
    },
    access_removed: {
      subject: "Earlier ways to sign in to {{application}} were removed",
      body: `You proved that this email address is yours. Somebody may have used your account at {{application}} before that, so earlier ways to sign in were removed, and all devices were signed out.

Removed: {{removed}}

${WHERE}

If you had set them up yourself, sign in and add them again.`,
    },
    recovery_code_used: {
      subject: "A recovery code was used at {{application}}",
      body: `A recovery code was used to sign in to your account at {{application}}. Codes left: {{left}}.

${WHERE}

${NOT_YOU}`,
    },
    second_factor_refused: {
      subject: "Somebody failed the second step of a sign-in to {{application}}",
      body: `Somebody passed the first step of a sign-in to your account at {{application}}, but gave too many wrong answers at the second step. The sign-in was refused.

${WHERE}

If this was not you, somebody knows your password or reads your mail. Set a new password now.`,
    },
    guessed: {
      subject: "Somebody is guessing at your account at {{application}}",
      body: `Somebody tried many wrong passwords or codes for your account at {{application}}. Further tries are refused for a while. Your known devices can sign in as usual.

${WHERE}

You need not do anything if your password is long and used nowhere else. Otherwise set a new one. If this was you, try again later, or reset your password.`,
    },
    trusted_device_added: {
      subject: "A device no longer needs the second step at {{application}}",
      body: `A device was remembered for your account at {{application}}: it signs in without the second step from now on.

${WHERE}

If this was not you, remove the device from your account, and set a new password.`,
    },
    new_device: {
      subject: "New sign-in to {{application}}",
      body: `Somebody signed in to your account at {{application}} on a new device.

${WHERE}

If this was you, you need not do anything.

${NOT_YOU}`,
    },
    account_deleted: {
      subject: "Your account at {{application}} was deleted",
      body: `Your account at {{application}} and the data in it were deleted on {{time}}.

If you did not ask for this, restore the account within {{days}} days: you get back your profile and this address, and set a new password. Only the link in this email opens the kept copy.

[Restore the account]({{link}})

If you have questions, write to {{application}}. This is the last email about the account.`,
    },
    test: {
      subject: "A test email from {{tenant}}",
      body: `The Sallyport server of {{tenant}} sent this test on {{time}}. If you can read it, mail works.`,
    },
  },
};
