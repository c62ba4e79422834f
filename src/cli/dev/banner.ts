import { version } from "../../core/version.ts";
import type { FirstSetup } from "../../identity/setup.ts";
import type { CommandContext } from "../command.ts";
import { exportLines, sdkEnvironment } from "../environment-lines.ts";
import { dataFlagFor, shortPath } from "./find-data.ts";

export interface DevInstance {
  url: string;
  /** Null if a mail server sends the mails. */
  inboxUrl: string | null;
  made: FirstSetup;
  /** Null for `--ephemeral`. */
  dataDirectory: string | null;
}

export function printStart(context: CommandContext, instance: DevInstance): void {
  context.print(context.flags.json ? startJson(instance) : startText(context, instance));
}

function startJson({ url, inboxUrl, made }: DevInstance): string {
  return JSON.stringify({
    url,
    tenant_id: made.tenantId,
    default_application_id: made.defaultApplicationId,
    application_id: made.applicationId,
    secret_key: made.secretKey,
    inbox_url: inboxUrl,
    environment: sdkEnvironment(url, made),
  });
}

function startText(context: CommandContext, instance: DevInstance): string {
  const { url, inboxUrl, made, dataDirectory } = instance;
  const environment = sdkEnvironment(url, made);
  const places: [string, string, string][] = [
    ...(inboxUrl === null
      ? []
      : [["Try it", `${url}/try`, "sign in here, with the mails beside it"] as [string, string, string]]),
    [
      "Mails",
      inboxUrl ?? "sent through the mail server of smtp_url",
      inboxUrl === null ? "" : "every mail that it sends",
    ],
    ["API", `${url}/openapi.json`, "every call, for programs"],
  ];
  const width = Math.max(...places.map(([, address]) => address.length)) + 4;
  return `
  Sallyport ${version.padEnd(27)} for this machine only; Ctrl-C stops it

${places.map(([name, address, text]) => `  ${name.padEnd(13)} ${address.padEnd(width)}  ${text}`.trimEnd()).join("\n")}

  Paste this into the terminal of your application:

${exportLines(environment)}

  Next
  1  Sign somebody up

  curl ${url}/v1/auth/register -H 'Content-Type: application/json' \\
    -d '{"email":"'$(date +%s)'@example.com","password":"five tame otters hum at dawn"}'

  2  See who is there

  curl ${url}/v1/users -H 'Authorization: Bearer ${made.secretKey}'
${dataDirectory === null ? "" : changeLines(context, environment.SALLYPORT_APP_ID ?? "", dataDirectory)}
  ${whereLine(dataDirectory)}
`;
}

function changeLines(context: CommandContext, applicationId: string, dataDirectory: string): string {
  return `
  3  Change it while it runs, in a second terminal in this directory

  ${context.command} app set ${applicationId}${dataFlagFor(context, dataDirectory)} \\
    --sign-in-method password,passkey,email_code
`;
}

function whereLine(dataDirectory: string | null): string {
  const pages = "Pages on http://localhost:* and http://127.0.0.1:* may call it.";
  if (dataDirectory === null) return `${pages} Data in memory, lost when it stops.`;
  return `${pages} Data in ${shortPath(dataDirectory)}; delete that to start over.`;
}
