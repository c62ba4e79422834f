import { fileURLToPath } from "node:url";

/** The appliance for the consumer project: its environment, and how to end it. */
export interface Appliance {
  /** SALLYPORT_URL, SALLYPORT_APP_ID, SALLYPORT_API_KEY, and an existing account: CONSUMER_EMAIL, CONSUMER_PASSWORD. */
  env: Record<string, string>;
  stop: () => Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

/** The live appliance, as `sallyport dev` starts it, with one user. */
export async function startAppliance(): Promise<Appliance> {
  const { started, stop } = await launch(["--ephemeral", "--port", "0"]);
  await signUp(started, ACCOUNT.email);
  return {
    env: {
      SALLYPORT_URL: started.url,
      SALLYPORT_APP_ID: started.default_application_id,
      SALLYPORT_API_KEY: started.secret_key,
      CONSUMER_EMAIL: ACCOUNT.email,
      CONSUMER_PASSWORD: ACCOUNT.password,
    },
    stop,
  };
}

/** The output of `sallyport dev --json`. */
export interface Started {
  url: string;
  tenant_id: string;
  default_application_id: string;
  application_id: string;
  secret_key: string;
}

const ACCOUNT = { email: "ada@example.com", password: "five tame otters hum at dawn" };

/** Runs `sallyport dev` with these flags. */
export async function launch(flags: string[]) {
  const command = [process.execPath, "run", MAIN, "dev", ...flags, "--json"];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const started = JSON.parse(await firstLine(child.stdout)) as Started;
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    await child.exited;
  };
  return { started, stop };
}

/** Signs a new user up. @returns the first access token */
export async function signUp(started: Started, email: string): Promise<string> {
  const answer = await fetch(`${started.url}/v1/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-application-id": started.default_application_id },
    body: JSON.stringify({ email, password: ACCOUNT.password }),
  });
  if (answer.status !== 201) throw new Error(`sign-up was answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Ends the token's session. */
export async function signOut(started: Started, token: string): Promise<void> {
  const answer = await fetch(`${started.url}/v1/auth/logout`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: "{}",
  });
  if (answer.status !== 200) throw new Error(`sign-out was answered ${answer.status}: ${await answer.text()}`);
}

/** Waits for a condition. @throws Error after twenty seconds */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (await condition()) return;
    await Bun.sleep(10);
  }
  throw new Error("the condition was not met in twenty seconds");
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("\n")) break;
  }
  return text;
}
