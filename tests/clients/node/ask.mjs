// The statements of a JSON list on standard input, asked of the file named as argument; the answers as JSON.
import { readFileSync } from "node:fs";
import { DuckDBInstance, version } from "@duckdb/node-api";

const instance = await DuckDBInstance.create(process.argv[2], { access_mode: "READ_ONLY" });
const connection = await instance.connect();
const answers = [];
for (const sql of JSON.parse(readFileSync(0, "utf8"))) {
  const reader = await connection.runAndReadAll(sql);
  answers.push(reader.getRowsJson());
}
connection.closeSync();
console.log(JSON.stringify({ version: version(), answers }));
