// The official SDK's server, as most servers are built with it.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import * as z from "zod";

const server = new McpServer({ name: "adder", version: "1.0.0" });
server.registerTool(
  "add",
  {
    description: "Adds two numbers.",
    inputSchema: { left: z.number().int(), right: z.number().int().optional() },
    outputSchema: { sum: z.number() },
  },
  ({ left, right = 0 }) => {
    const structuredContent = { sum: left + right };
    return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
  },
);
await server.connect(new StdioServerTransport());
