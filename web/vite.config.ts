import { defineConfig, type Plugin } from "vite";

// Nothing is loaded from elsewhere, and no text that somebody wrote can become a script.
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'";

const contentPolicy: Plugin = {
  name: "content-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" },
  ],
};

// `npm run dev` shows the pages of a running `rlhf collect`: RLHF_SERVER=http://127.0.0.1:PORT
const server = process.env.RLHF_SERVER ?? "http://127.0.0.1:7860";

export default defineConfig({
  plugins: [contentPolicy],
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: server, ws: true }, "/media": server },
  },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
});
