import { features } from "../app.ts";
import { OwnHosts } from "../core/own-hosts.ts";
import { createIdentity, type Identity } from "../identity/identity.ts";
import { isSetUp } from "../identity/setup.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { withDevData } from "./dev/find-data.ts";
import { type Instance, openInstance } from "./instance.ts";

/** Opens the identity room of an instance, for commands that need no server. */
export function createIdentityOf(instance: Instance): Promise<Identity> {
  const { settings } = instance;
  return createIdentity({
    storage: instance.storage,
    clock: instance.clock,
    masterKeys: instance.masterKeys,
    hosts: new OwnHosts(settings.public_url ?? `http://localhost:${settings.port}`, settings.tenant_hosts),
    settings,
    features: features.hooks,
  });
}

/** @throws CommandError if the database has no default tenant */
export async function requireSetUp(identity: Identity): Promise<void> {
  if (await isSetUp(identity)) return;
  throw new CommandError("The database has no tenant yet. Run `sallyport init` first.");
}

/** Opens the instance, passes its identity to `work`, and closes it in any case. */
export async function withIdentity<T>(
  context: CommandContext,
  work: (identity: Identity, instance: Instance) => Promise<T>,
): Promise<T> {
  const instance = await openInstance(withDevData(context));
  try {
    const identity = await createIdentityOf(instance);
    await requireSetUp(identity);
    return await work(identity, instance);
  } finally {
    await instance.storage.close();
  }
}
