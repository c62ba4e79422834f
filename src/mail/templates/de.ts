import type { Language } from "./template.ts";

const ONCE = "Link und Code gelten nur einmal und nur {{minutes}} Minuten lang.";
const IGNORE =
  "Falls Sie das nicht angefordert haben, ignorieren Sie diese E-Mail: Ohne den Link oder den Code passiert nichts.";
const OTHER_DEVICE = "Auf einem anderen Gerät? Geben Sie dort diesen Code ein:";
const WHERE = "Gerät: {{device}}\nNetzwerkadresse: {{address}}\nZeit: {{time}}";
const ASKED = "Angefordert von: {{device}}\nNetzwerkadresse: {{address}}\nZeit: {{time}}";
const NOT_YOU =
  "Falls Sie das nicht waren, hat jemand anderes Zugriff auf Ihr Konto. Setzen Sie jetzt ein neues Passwort und melden Sie alle Geräte ab, die Sie nicht kennen.";

export const german: Language = {
  name: "Deutsch",
  factors: {
    totp: "Authenticator-App",
    passkey: "Passkey",
    recovery_codes: "Wiederherstellungscodes",
    password: "Passwort",
    address: "weitere E-Mail-Adressen",
  },
  device: (english) => english.replace(" on ", " unter "),
  templates: {
    sign_up: {
      subject: "Bestätigen Sie Ihre E-Mail-Adresse für {{application}}",
      body: `Willkommen bei {{application}}. Bestätigen Sie Ihre E-Mail-Adresse, dann ist Ihr Konto bereit.

[E-Mail-Adresse bestätigen]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} ${IGNORE}

${ASKED}`,
    },
    sign_up_known: {
      subject: "Sie haben bereits ein Konto bei {{application}}",
      body: `Jemand, vielleicht Sie selbst, wollte sich mit dieser E-Mail-Adresse bei {{application}} registrieren. Dazu gibt es bereits ein Konto. Melden Sie sich wie gewohnt an oder setzen Sie dort Ihr Passwort zurück.

[Zu {{application}}]({{home}})

Falls Sie das nicht waren, müssen Sie nichts tun. Ihr Konto wurde nicht verändert.`,
    },
    verify_email: {
      subject: "Bestätigen Sie Ihre E-Mail-Adresse für {{application}}",
      body: `Bestätigen Sie, dass diese E-Mail-Adresse Ihnen gehört und dass Sie sie für Ihr Konto bei {{application}} verwenden. Öffnen Sie den Link in dem Browser, in dem Sie angemeldet sind, oder geben Sie den Code dort ein.

[E-Mail-Adresse bestätigen]({{link}})

{{code}}

${ONCE} Falls Sie das nicht angefordert haben, bestätigen Sie nicht und geben Sie den Code niemandem: Jemand hat Ihre Adresse versehentlich angegeben oder will Ihr Konto.

Konto: {{account}}
${ASKED}`,
    },
    email_known: {
      subject: "Jemand wollte Ihre E-Mail-Adresse bei {{application}} hinzufügen",
      body: `Jemand wollte diese E-Mail-Adresse einem anderen Konto bei {{application}} hinzufügen. Sie gehört zu Ihrem Konto und bleibt dort: Es wurde nichts verändert.

Falls Sie das waren, entfernen Sie die Adresse zuerst aus dem Konto, zu dem sie gehört, oder melden Sie sich mit diesem Konto an.`,
    },
    sign_in_link: {
      subject: "Ihre Anmeldung bei {{application}}",
      body: `Mit diesem Link melden Sie sich bei {{application}} an. Öffnen Sie ihn in dem Browser, in dem Sie ihn angefordert haben: Nur dort gilt er.

[Anmelden]({{link}})

Haben Sie ihn auf einem anderen Gerät angefordert? Geben Sie dort diesen Code ein:

{{code}}

${ONCE} Geben Sie beides nicht weiter: Niemand von {{application}} wird Sie danach fragen, und mit dem Code könnte sich jemand in Ihrem Namen anmelden. ${IGNORE}

${ASKED}`,
    },
    sign_in_code: {
      subject: "{{code}} ist Ihr Code für {{application}}",
      body: `Geben Sie diesen Code ein, um sich bei {{application}} anzumelden.

{{code}}

Der Code gilt nur einmal und nur {{minutes}} Minuten lang. Geben Sie ihn nicht weiter: Niemand von {{application}} wird Sie danach fragen.

Falls Sie das nicht angefordert haben, ignorieren Sie diese E-Mail: Ohne den Code passiert nichts.

${ASKED}`,
    },
    reset_password: {
      subject: "Setzen Sie Ihr Passwort für {{application}} zurück",
      body: `Jemand, hoffentlich Sie selbst, möchte ein neues Passwort für Ihr Konto bei {{application}} setzen.

[Neues Passwort setzen]({{link}})

${OTHER_DEVICE}

{{code}}

${ONCE} Falls Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Passwort bleibt unverändert.

${ASKED}`,
    },
    email_changed: {
      subject: "Ihre E-Mail-Adresse bei {{application}} wurde geändert",
      body: `Ihr Konto bei {{application}} verwendet jetzt {{new_email}} statt {{old_email}}.

Falls Sie das nicht waren, machen Sie die Änderung innerhalb von {{days}} Tagen rückgängig: Sie erhalten Ihre alte Adresse zurück, alle Geräte werden abgemeldet, und Sie setzen ein neues Passwort.

[Änderung rückgängig machen]({{link}})`,
    },
    email_added: {
      subject: "Ihrem Konto bei {{application}} wurde eine E-Mail-Adresse hinzugefügt",
      body: `{{email}} gehört jetzt zu Ihrem Konto bei {{application}}.

${NOT_YOU}`,
    },
    email_removed: {
      subject: "Aus Ihrem Konto bei {{application}} wurde eine E-Mail-Adresse entfernt",
      body: `{{email}} gehört nicht mehr zu Ihrem Konto bei {{application}}.

${NOT_YOU}`,
    },
    password_changed: {
      subject: "Ihr Passwort bei {{application}} wurde geändert",
      body: `Das Passwort Ihres Kontos bei {{application}} wurde geändert, und Ihre anderen Geräte wurden abgemeldet.

${WHERE}

${NOT_YOU}`,
    },
    factor_added: {
      subject: "Bei {{application}} wurde eine Anmeldemethode hinzugefügt",
      body: `Ihrem Konto bei {{application}} wurde eine Anmeldemethode hinzugefügt: {{factor}}.

${WHERE}

${NOT_YOU}`,
    },
    factor_removed: {
      subject: "Bei {{application}} wurde eine Anmeldemethode entfernt",
      body: `Aus Ihrem Konto bei {{application}} wurde eine Anmeldemethode entfernt: {{factor}}.

${WHERE}

${NOT_YOU}`,
    },
    access_removed: {
      subject: "Frühere Anmeldewege bei {{application}} wurden entfernt",
      body: `Sie haben bestätigt, dass diese E-Mail-Adresse Ihnen gehört. Jemand anderes kann Ihr Konto bei {{application}} vorher benutzt haben. Deshalb wurden frühere Anmeldewege entfernt und alle Geräte abgemeldet.

Entfernt: {{removed}}

${WHERE}

Falls Sie sie selbst eingerichtet hatten, melden Sie sich an und fügen Sie sie wieder hinzu.`,
    },
    recovery_code_used: {
      subject: "Bei {{application}} wurde ein Wiederherstellungscode verwendet",
      body: `Bei der Anmeldung an Ihrem Konto bei {{application}} wurde ein Wiederherstellungscode verwendet. Verbleibende Codes: {{left}}.

${WHERE}

${NOT_YOU}`,
    },
    second_factor_refused: {
      subject: "Jemand ist bei {{application}} am zweiten Anmeldeschritt gescheitert",
      body: `Jemand hat den ersten Schritt der Anmeldung an Ihrem Konto bei {{application}} geschafft, im zweiten aber zu oft falsch geantwortet. Die Anmeldung wurde abgelehnt.

${WHERE}

Falls Sie das nicht waren, kennt jemand Ihr Passwort oder liest Ihre E-Mails. Setzen Sie jetzt ein neues Passwort.`,
    },
    guessed: {
      subject: "Jemand rät an Ihrem Konto bei {{application}}",
      body: `Jemand hat viele falsche Passwörter oder Codes für Ihr Konto bei {{application}} ausprobiert. Weitere Versuche werden eine Zeit lang abgelehnt. Ihre bekannten Geräte können sich anmelden wie immer.

${WHERE}

Sie müssen nichts tun, wenn Ihr Passwort lang ist und nur hier gilt. Setzen Sie sonst ein neues. Falls Sie das waren, versuchen Sie es später noch einmal, oder setzen Sie Ihr Passwort zurück.`,
    },
    trusted_device_added: {
      subject: "Ein Gerät braucht bei {{application}} keinen zweiten Schritt mehr",
      body: `Ein Gerät wurde für Ihr Konto bei {{application}} gemerkt: Es meldet sich ab jetzt ohne den zweiten Schritt an.

${WHERE}

Falls Sie das nicht waren, entfernen Sie das Gerät aus Ihrem Konto, und setzen Sie ein neues Passwort.`,
    },
    new_device: {
      subject: "Neue Anmeldung bei {{application}}",
      body: `Jemand hat sich an Ihrem Konto bei {{application}} mit einem neuen Gerät angemeldet.

${WHERE}

Falls Sie das waren, müssen Sie nichts tun.

${NOT_YOU}`,
    },
    account_deleted: {
      subject: "Ihr Konto bei {{application}} wurde gelöscht",
      body: `Ihr Konto bei {{application}} und die Daten darin wurden am {{time}} gelöscht.

Falls Sie das nicht wollten, stellen Sie das Konto innerhalb von {{days}} Tagen wieder her: Sie bekommen Ihr Profil und diese Adresse zurück und setzen ein neues Passwort. Nur der Link in dieser E-Mail öffnet die verwahrte Kopie.

[Konto wiederherstellen]({{link}})

Bei Fragen schreiben Sie an {{application}}. Dies ist die letzte E-Mail zu dem Konto.`,
    },
    test: {
      subject: "Eine Test-E-Mail von {{tenant}}",
      body: `Der Sallyport-Server von {{tenant}} hat diesen Test am {{time}} gesendet. Wenn Sie ihn lesen können, funktioniert der Versand.`,
    },
  },
};
