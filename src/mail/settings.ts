import { defineSettings, setting } from "../core/config.ts";

export const mailSettings = defineSettings({
  smtp_url: {
    schema: setting.optionalText(),
    secret: true,
    doc: "Where mail is handed over: smtp://user:password@host:587, or smtps:// for TLS from the start.",
  },
  mail_from: {
    schema: setting.text().default("Sallyport <sallyport@localhost>"),
    shownDefault: "Sallyport <sallyport@localhost>",
    doc: "The sender of mails whose tenant has none of its own.",
  },
});
