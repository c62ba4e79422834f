/** The queries that other folders may run. The rest of the store is private to this folder. */
export { countTrustedDevices, deleteTrustedDevices, pageOfDevices, removeDevice, trustedDevicesOf } from "./store.ts";
