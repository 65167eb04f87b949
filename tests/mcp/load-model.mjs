// A model for a hundred conversations at once, in a process of its own so that it holds nobody up: a command first, then
// two hundred deltas and the message. Prints its port.
import http from "node:http";

const deltas = Array.from({ length: 200 }, (_, at) => `word${at} `);
const text = deltas.join("");
const line = (event) => `data: ${JSON.stringify(event)}\n\n`;
const done = (item) => line({ type: "response.output_item.done", output_index: 0, item });
const completed = line({ type: "response.completed", response: { id: "r", usage: null } });
const call = { type: "function_call", call_id: "call_1", name: "shell", arguments: '{"command":["echo","hello"]}' };
const message = { type: "message", role: "assistant", content: [{ type: "output_text", text }] };

const server = http.createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (!body.includes("function_call_output")) {
      response.end(done(call) + completed);
      return;
    }
    let sent = 0;
    const timer = setInterval(() => {
      response.write(
        deltas
          .slice(sent, sent + 10)
          .map((delta) => line({ type: "response.output_text.delta", delta }))
          .join(""),
      );
      sent += 10;
      if (sent < deltas.length) return;
      clearInterval(timer);
      response.end(done(message) + completed);
    }, 20);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${server.address().port}\n`);
});
