import type { AuthPasswordResetOutput, DescribedLink } from "../../src/sdk/client/api.gen.ts";

type Kind = DescribedLink["kind"];
type Removed = AuthPasswordResetOutput["removed"][number];

/** The texts of one kind of link, before and after its use. `{email}` and `{application}` stand for the link's own. */
interface KindTexts {
  heading: string;
  lead: string;
  button: string;
  doneHeading: string;
  doneLead: string;
}

interface Said {
  heading: string;
  lead: string;
}

export interface Texts {
  language: "en" | "de";
  /** The reader's own locale, for numbers and times: `en-GB`. */
  locale: string;
  loading: string;
  working: string;
  /** Replaces an address that the appliance does not name. */
  someAddress: string;
  /** Replaces a device that the appliance does not know, and the address of an account without one. */
  someDevice: string;
  noAccount: string;
  until: string;
  care: string;
  kinds: Record<Kind, KindTexts>;
  password: { label: string; hint: string; show: string; hide: string; missing: string };
  /** The appliance's reasons against a password, where this language has a text for them. */
  reasons: readonly (readonly [RegExp, string])[];
  factor: Said & {
    totp: string;
    totpHint: string;
    recovery: string;
    recoveryHint: string;
    passkey: string;
    button: string;
    missing: string;
    wrong: string;
    used: string;
    passkeyFailed: string;
    useTotp: string;
    useRecovery: string;
    usePasskey: string;
    over: Said;
    setup: Said;
    elsewhere: Said;
  };
  /** Names what the first proof of an address has removed. */
  removedLead: string;
  removed: Record<Removed, string>;
  go: string;
  close: string;
  retry: string;
  missing: Said;
  invalid: Said;
  /** The link signs in only the browser that asked for it. */
  otherBrowser: Said;
  otherSession: Said;
  forbidden: Said;
  factorElsewhere: Said;
  unreachable: Said;
  /** The same after a press: the request may have arrived although the answer was lost. */
  lost: string;
  busy: Said;
  later: string;
  failed: Said;
}

const english: Texts = {
  language: "en",
  locale: "en",
  loading: "One moment…",
  working: "One moment…",
  someAddress: "the address that the mail came to",
  someDevice: "An unknown device",
  noAccount: "without an address",
  until: "This link works once, until {time}.",
  care: "Nobody will ever ask you for this link or for the code in the mail. Keep both to yourself.",
  kinds: {
    sign_in: {
      heading: "Sign in to {application}",
      lead: "You will be signed in as {email} in this browser. If that is not you, close this page.",
      button: "Sign in",
      doneHeading: "You are signed in",
      doneLead: "You are signed in to {application} as {email}.",
    },
    sign_up: {
      heading: "Create your account",
      lead: "This confirms {email} and creates your account at {application}, with the password that you choose here. Asked for by {device} ({asked}).",
      button: "Create the account",
      doneHeading: "Your account is ready",
      doneLead: "You are signed in to {application} as {email}.",
    },
    verify_email: {
      heading: "Confirm your address",
      lead: "This confirms that {email} is yours and belongs to the account {account} at {application}. Asked for by {device} ({asked}).",
      button: "Confirm the address",
      doneHeading: "Your address is confirmed",
      doneLead: "{email} belongs to your account at {application}.",
    },
    reset_password: {
      heading: "Set a new password",
      lead: "This sets the password of {email} at {application}, and signs out every device.",
      button: "Set the password",
      doneHeading: "Your new password is set",
      doneLead: "Every device was signed out. Sign in to {application} with the new password.",
    },
    undo_email_change: {
      heading: "Undo the change of address",
      lead: "{email} becomes the address of your account at {application} again. Every device is signed out, and you set a new password.",
      button: "Undo the change",
      doneHeading: "The change is undone",
      doneLead: "{email} is the address of your account again. A mail to set a new password is on its way to it.",
    },
    restore_account: {
      heading: "Restore your account",
      lead: "This restores your account at {application} with its profile and the address that the mail came to. You then set a new password.",
      button: "Restore the account",
      doneHeading: "Your account is restored",
      doneLead: "A mail to set a new password for {application} is on its way to you.",
    },
  },
  password: {
    label: "New password",
    hint: "Long beats complicated: use four or five unrelated words.",
    show: "Show",
    hide: "Hide",
    missing: "Enter a new password.",
  },
  reasons: [],
  factor: {
    heading: "One more step",
    lead: "Your account at {application} asks for a second proof that it is you.",
    totp: "Code from your authenticator app",
    totpHint: "Six digits that change every 30 seconds.",
    recovery: "Recovery code",
    recoveryHint: "One of the recovery codes that you saved. Each works once.",
    passkey: "Continue with your passkey",
    button: "Continue",
    missing: "Enter the code.",
    wrong: "This code is wrong or was used before. Try the next one.",
    used: "This code was used already. Wait until your app shows the next one.",
    passkeyFailed: "The passkey was not used. Try again, or choose another way.",
    useTotp: "Use the authenticator app instead",
    useRecovery: "Use a recovery code instead",
    usePasskey: "Use a passkey instead",
    over: {
      heading: "Please start again",
      lead: "There were too many wrong codes, or too much time has passed. Ask for a new mail where you asked for this one.",
    },
    setup: {
      heading: "A second factor is needed",
      lead: "{application} requires a second factor, and you have none yet. Sign in there to set one up.",
    },
    elsewhere: {
      heading: "Your second factor is needed",
      lead: "It cannot be used on this page. Sign in at {application} itself.",
    },
  },
  removedLead: "Nobody had proven this address before, so everything that was set up earlier was removed: {removed}.",
  removed: {
    password: "password",
    passkey: "passkeys",
    totp: "authenticator app",
    recovery_codes: "recovery codes",
    address: "additional addresses",
  },
  go: "Go to {application}",
  close: "You can close this page.",
  retry: "Try again",
  missing: {
    heading: "There is no link here",
    lead: "Open the whole link in the mail again. Or enter the code from the mail where you asked for it.",
  },
  invalid: {
    heading: "This link no longer works",
    lead: "It was used before, has expired, or is incomplete. Ask for a new mail where you asked for this one.",
  },
  otherSession: {
    heading: "Confirm it where you asked for it",
    lead: "{device} asked to use {email} for the account {account} at {application} ({asked}). If that was you, enter the mail's code there, or sign in to the account in this browser and open the link again. If it was not you, close this page and give nobody the code: nothing happens.",
  },
  otherBrowser: {
    heading: "This link belongs to another browser",
    lead: "It signs in only the browser that asked for it. Open it there, or enter the code from the mail there. To sign in here, ask for a new mail here. If you did not ask for this mail, close this page, and tell nobody the code.",
  },
  forbidden: {
    heading: "This is no longer possible",
    lead: "{application} has turned this method off. Choose another one there.",
  },
  factorElsewhere: {
    heading: "Your passkey belongs to another domain",
    lead: "This account asks for a second factor and has only that passkey. Sign in on its domain, or ask the operator of {application} for help.",
  },
  unreachable: {
    heading: "No connection",
    lead: "This page could not reach its server. Your link still works: check your connection, then try again.",
  },
  lost: "This page could not reach its server. Check your connection, then try again. If the link no longer works then, it was already used successfully.",
  busy: { heading: "Too many requests", lead: "Your link still works: {later}" },
  later: "try again in {time}.",
  failed: {
    heading: "Something went wrong",
    lead: "It is not your fault, and your link may still work: try again in a minute.",
  },
};

const german: Texts = {
  language: "de",
  locale: "de",
  loading: "Einen Moment …",
  working: "Einen Moment …",
  someAddress: "die Adresse, an die die E-Mail ging,",
  someDevice: "Ein unbekanntes Gerät",
  noAccount: "ohne Adresse",
  until: "Dieser Link gilt einmal, bis {time}.",
  care: "Niemand wird Sie je nach diesem Link oder dem Code aus der E-Mail fragen. Behalten Sie beide für sich.",
  kinds: {
    sign_in: {
      heading: "Bei {application} anmelden",
      lead: "Sie werden in diesem Browser als {email} angemeldet. Wenn Sie das nicht sind, schließen Sie diese Seite.",
      button: "Anmelden",
      doneHeading: "Sie sind angemeldet",
      doneLead: "Sie sind bei {application} als {email} angemeldet.",
    },
    sign_up: {
      heading: "Konto anlegen",
      lead: "Damit bestätigen Sie {email} und legen Ihr Konto bei {application} an, mit dem Passwort, das Sie hier wählen. Angefordert von: {device} ({asked}).",
      button: "Konto anlegen",
      doneHeading: "Ihr Konto ist angelegt",
      doneLead: "Sie sind bei {application} als {email} angemeldet.",
    },
    verify_email: {
      heading: "Adresse bestätigen",
      lead: "Damit bestätigen Sie, dass {email} Ihnen gehört und Teil des Kontos {account} bei {application} ist. Angefordert von: {device} ({asked}).",
      button: "Adresse bestätigen",
      doneHeading: "Ihre Adresse ist bestätigt",
      doneLead: "{email} gehört zu Ihrem Konto bei {application}.",
    },
    reset_password: {
      heading: "Neues Passwort setzen",
      lead: "Damit setzen Sie das Passwort von {email} bei {application}. Alle Geräte werden abgemeldet.",
      button: "Passwort setzen",
      doneHeading: "Ihr neues Passwort gilt",
      doneLead: "Alle Geräte wurden abgemeldet. Melden Sie sich bei {application} mit dem neuen Passwort an.",
    },
    undo_email_change: {
      heading: "Änderung der Adresse rückgängig machen",
      lead: "{email} wird wieder die Adresse Ihres Kontos bei {application}. Alle Geräte werden abgemeldet, und Sie setzen ein neues Passwort.",
      button: "Rückgängig machen",
      doneHeading: "Die Änderung ist rückgängig gemacht",
      doneLead:
        "{email} ist wieder die Adresse Ihres Kontos. Eine E-Mail für ein neues Passwort ist dorthin unterwegs.",
    },
    restore_account: {
      heading: "Konto wiederherstellen",
      lead: "Damit stellen Sie Ihr Konto bei {application} mit seinem Profil wieder her, mit der Adresse, an die die E-Mail ging. Danach setzen Sie ein neues Passwort.",
      button: "Konto wiederherstellen",
      doneHeading: "Ihr Konto ist wiederhergestellt",
      doneLead: "Eine E-Mail für ein neues Passwort bei {application} ist zu Ihnen unterwegs.",
    },
  },
  password: {
    label: "Neues Passwort",
    hint: "Lang schlägt kompliziert: Nehmen Sie vier oder fünf Wörter ohne Zusammenhang.",
    show: "Anzeigen",
    hide: "Verbergen",
    missing: "Geben Sie ein neues Passwort ein.",
  },
  reasons: [
    [/needs at least (\d+) characters. It has (\d+)/, "Das Passwort braucht mindestens $1 Zeichen. Es hat $2."],
    [/may have at most (\d+) characters. It has (\d+)/, "Das Passwort darf höchstens $1 Zeichen haben. Es hat $2."],
    [/one of the most common/, "Das ist eines der häufigsten Passwörter. Wählen Sie ein anderes."],
    [
      /mostly made of your name/,
      "Das Passwort besteht fast nur aus Ihrem Namen, Ihrer Adresse oder dem Namen dieser Anwendung.",
    ],
    [/a common password with little/, "Das ist ein häufiges Passwort mit wenig Zusatz. Wählen Sie ein anderes."],
    [/a simple pattern/, "Das Passwort folgt einem einfachen Muster, das schnell erraten ist. Wählen Sie ein anderes."],
    [/characters/, "Das Passwort enthält ungültige Zeichen. Geben Sie es erneut ein."],
  ],
  factor: {
    heading: "Noch ein Schritt",
    lead: "Ihr Konto bei {application} verlangt einen zweiten Nachweis, dass Sie es sind.",
    totp: "Code aus Ihrer Authenticator-App",
    totpHint: "Sechs Ziffern, die alle 30 Sekunden wechseln.",
    recovery: "Wiederherstellungscode",
    recoveryHint: "Einer der Wiederherstellungscodes, die Sie aufbewahrt haben. Jeder gilt einmal.",
    passkey: "Mit dem Passkey weiter",
    button: "Weiter",
    missing: "Geben Sie den Code ein.",
    wrong: "Dieser Code ist falsch oder wurde schon benutzt. Versuchen Sie es mit dem nächsten.",
    used: "Dieser Code wurde schon benutzt. Warten Sie, bis Ihre App den nächsten anzeigt.",
    passkeyFailed: "Der Passkey wurde nicht benutzt. Versuchen Sie es erneut, oder wählen Sie einen anderen Weg.",
    useTotp: "Stattdessen die Authenticator-App benutzen",
    useRecovery: "Stattdessen einen Wiederherstellungscode benutzen",
    usePasskey: "Stattdessen einen Passkey benutzen",
    over: {
      heading: "Bitte beginnen Sie von vorn",
      lead: "Es waren zu viele falsche Codes, oder es ist zu viel Zeit vergangen. Fordern Sie eine neue E-Mail an.",
    },
    setup: {
      heading: "Ein zweiter Faktor ist nötig",
      lead: "{application} verlangt einen zweiten Faktor, und Sie haben noch keinen. Melden Sie sich dort an, um einen einzurichten.",
    },
    elsewhere: {
      heading: "Ihr zweiter Faktor ist nötig",
      lead: "Er lässt sich auf dieser Seite nicht benutzen. Melden Sie sich bei {application} selbst an.",
    },
  },
  removedLead:
    "Niemand hatte diese Adresse vorher bestätigt. Deshalb wurde entfernt, was früher eingerichtet wurde: {removed}.",
  removed: {
    password: "Passwort",
    passkey: "Passkeys",
    totp: "Authenticator-App",
    recovery_codes: "Wiederherstellungscodes",
    address: "weitere Adressen",
  },
  go: "Weiter zu {application}",
  close: "Sie können diese Seite schließen.",
  retry: "Erneut versuchen",
  missing: {
    heading: "Hier ist kein Link",
    lead: "Öffnen Sie den vollständigen Link in der E-Mail noch einmal. Oder geben Sie den Code dort ein, wo Sie die E-Mail angefordert haben.",
  },
  invalid: {
    heading: "Dieser Link gilt nicht mehr",
    lead: "Er wurde schon benutzt, ist abgelaufen oder unvollständig. Fordern Sie dort, wo Sie diese E-Mail angefordert haben, eine neue an.",
  },
  otherSession: {
    heading: "Bestätigen Sie dort, wo Sie angefragt haben",
    lead: "{device} wollte {email} für das Konto {account} bei {application} verwenden ({asked}). Falls Sie das waren, geben Sie den Code aus der E-Mail dort ein, oder melden Sie sich in diesem Browser bei dem Konto an und öffnen Sie den Link erneut. Falls Sie es nicht waren, schließen Sie diese Seite und geben Sie niemandem den Code: Es passiert nichts.",
  },
  otherBrowser: {
    heading: "Dieser Link gehört zu einem anderen Browser",
    lead: "Er meldet nur den Browser an, der ihn angefordert hat. Öffnen Sie ihn dort, oder geben Sie dort den Code aus der E-Mail ein. Um sich hier anzumelden, fordern Sie hier eine neue E-Mail an. Wenn Sie diese E-Mail nicht angefordert haben, schließen Sie diese Seite, und sagen Sie niemandem den Code.",
  },
  forbidden: {
    heading: "Das ist nicht mehr möglich",
    lead: "{application} hat diese Methode abgeschaltet. Wählen Sie dort eine andere.",
  },
  factorElsewhere: {
    heading: "Ihr Passkey gehört zu einer anderen Domain",
    lead: "Dieses Konto verlangt einen zweiten Faktor und hat nur diesen Passkey. Melden Sie sich auf dessen Domain an, oder bitten Sie den Betreiber von {application} um Hilfe.",
  },
  unreachable: {
    heading: "Keine Verbindung",
    lead: "Diese Seite konnte ihren Server nicht erreichen. Ihr Link gilt noch: Prüfen Sie die Verbindung und versuchen Sie es erneut.",
  },
  lost: "Diese Seite konnte ihren Server nicht erreichen. Prüfen Sie die Verbindung und versuchen Sie es erneut. Falls der Link dann nicht mehr gilt, wurde er schon erfolgreich benutzt.",
  busy: { heading: "Zu viele Anfragen", lead: "Ihr Link gilt noch: {later}" },
  later: "Versuchen Sie es in {time} erneut.",
  failed: {
    heading: "Etwas ist schiefgegangen",
    lead: "Es liegt nicht an Ihnen, und Ihr Link gilt vielleicht noch: Versuchen Sie es in einer Minute erneut.",
  },
};

/** Returns the texts in the reader's first supported language, as in mails. @param wished BCP 47 tags */
export function textsFor(wished: readonly string[]): Texts {
  for (const locale of wished) {
    const texts = [english, german].find(({ language }) => language === locale.slice(0, 2).toLowerCase());
    if (texts) return { ...texts, locale };
  }
  return english;
}

/** Formats `2 minutes` in the texts' language. */
export function spanOf(texts: Texts, seconds: number): string {
  const isShort = seconds < 90;
  const unit = isShort ? "second" : "minute";
  const value = isShort ? seconds : Math.ceil(seconds / 60);
  return new Intl.NumberFormat(texts.locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** Formats a time, with its day unless it is today. @param time RFC 3339 */
export function momentOf(texts: Texts, time: string): string {
  const moment = new Date(time);
  const isToday = moment.toDateString() === new Date().toDateString();
  const day = isToday ? {} : ({ dateStyle: "long" } as const);
  // Hard spaces keep a line from breaking between a day and its month.
  return new Intl.DateTimeFormat(texts.locale, { timeStyle: "short", ...day }).format(moment).replaceAll(" ", "\u00a0");
}

export function reasonIn(texts: Texts, reason: string): string {
  const known = texts.reasons.find(([pattern]) => pattern.test(reason));
  if (!known) return reason;
  const [pattern, text] = known;
  const values = pattern.exec(reason) ?? [];
  return text.replaceAll(/\$(\d)/g, (_, index: string) => values[Number(index)] ?? "");
}
