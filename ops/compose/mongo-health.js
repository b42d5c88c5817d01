// mongosh --nodb: healthy is a primary that can be written to. The first time it is asked, it makes
// the replica set; the password stays out of every command line.
const password = require("fs").readFileSync(process.env.ROOT_PASSWORD_FILE, "utf8").trim();
const host = process.env.MONGO_HOST ?? "127.0.0.1:27017";
const admin = new Mongo(
  `mongodb://root:${encodeURIComponent(password)}@${host}/?directConnection=true&authSource=admin`,
).getDB("admin");

const hello = admin.hello();
if (!hello.setName) {
  const member = process.env.MONGO_MEMBER ?? "mongo:27017";
  admin.runCommand({ replSetInitiate: { _id: "t3", members: [{ _id: 0, host: member }] } });
}
quit(admin.hello().isWritablePrimary ? 0 : 1);
