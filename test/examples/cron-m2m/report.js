import { ManagementClient } from "sallyport/management";

const DAY = 24 * 60 * 60 * 1000;

// SALLYPORT_TENANT_URL, SALLYPORT_M2M_CLIENT_ID and SALLYPORT_M2M_CLIENT_SECRET name the server and the client.
const sallyport = new ManagementClient();

let total = 0;
let recent = 0;
for await (const user of sallyport.users.list()) {
  total++;
  if (Date.now() - Date.parse(user.created_at) < DAY) recent++;
}
console.log(`${total} users, ${recent} of them new since yesterday`);
