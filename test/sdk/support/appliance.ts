import { fileURLToPath } from "node:url";

/** What the consumer project is run against: its environment, and how to end it. */
export interface Appliance {
  /** SALLYPORT_URL, SALLYPORT_APP_ID, SALLYPORT_API_KEY, and an existing account: CONSUMER_EMAIL, CONSUMER_PASSWORD. */
  env: Record<string, string>;
  stop: () => Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

/** The live appliance, as `sallyport dev` starts it, with one person who has signed up. */
export async function startAppliance(): Promise<Appliance> {
  const command = [process.execPath, "run", MAIN, "dev", "--ephemeral", "--port", "0", "--json"];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const started = JSON.parse(await firstLine(child.stdout));
  const account = { email: "ada@example.com", password: "correct horse battery staple" };
  const answer = await fetch(`${started.url}/v1/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-application-id": started.application_id },
    body: JSON.stringify(account),
  });
  if (answer.status !== 201) throw new Error(`sign-up was answered ${answer.status}: ${await answer.text()}`);
  return {
    env: {
      SALLYPORT_URL: started.url,
      SALLYPORT_APP_ID: started.application_id,
      SALLYPORT_API_KEY: started.secret_key,
      CONSUMER_EMAIL: account.email,
      CONSUMER_PASSWORD: account.password,
    },
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("\n")) break;
  }
  return text;
}
