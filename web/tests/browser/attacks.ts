// Texts that try to become something else. Each would set `fired`, open a dialog, or fetch from elsewhere if it worked.
const run = "window.fired=1;alert(1)";
const handlers = ["onerror", "onload", "onclick", "onmouseover", "onfocus", "onanimationstart", "ontoggle", "onpointerenter", "onwheel", "onbegin"];
const tags = ["img src=x", "svg", "body", "video src=x", "audio src=x", "iframe srcdoc=x", "details open", "input autofocus", "marquee", "object data=x", "embed src=x", "math", "style", "template", "custom-tag tabindex=0 autofocus"];
const urls = ["javascript:", "JaVaScRiPt:", "java\tscript:", "&#106;avascript:", "data:text/html,<script>", "vbscript:", "\u0001javascript:", "javascript&colon;", "file:///etc/", "blob:null/"];

export const attacks: string[] = [
  ...handlers.flatMap((handler, at) => [`<${tags[at]} ${handler}="${run}">`, `<${tags[(at + 5) % tags.length]}/${handler}=${run}//`]),
  ...tags.map((tag) => `<${tag} onerror=${run} onload=${run} onfocus=${run}>`),
  ...urls.flatMap((url) => [`[link](${url}${run})`, `<a href="${url}${run}">link</a>`, `![picture](${url}${run})`]),
  `<script>${run}</script>`, `<ScRiPt>${run}</sCrIpT>`, `<scr<script>ipt>${run}</scr</script>ipt>`, `<script src="http://127.0.0.1:9/x.js"></script>`,
  `![p](http://127.0.0.1:9/pixel.png)`, `<img src="http://127.0.0.1:9/pixel.png">`, `<link rel=stylesheet href=http://127.0.0.1:9/x.css>`, `<style>@import "http://127.0.0.1:9/x.css"</style>`,
  `<div style="background:url(http://127.0.0.1:9/x)">`, `<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/">`, `<base href="http://127.0.0.1:9/">`, `<form action="http://127.0.0.1:9/"><button autofocus>go</button></form>`,
  `<svg><script>${run}</script></svg>`, `<svg><animate onbegin=${run} attributeName=x>`, `<math><mtext><table><mglyph><style><img src=x onerror=${run}>`, `<noscript><p title="</noscript><img src=x onerror=${run}>">`,
  `<svg><style><img src=x onerror=${run}></style></svg>`, `<textarea><img src=x onerror=${run}></textarea>`, `<title><img src=x onerror=${run}></title>`, `<xmp><img src=x onerror=${run}></xmp>`,
  `<!--><img src=x onerror=${run}>-->`, `<![CDATA[<img src=x onerror=${run}>]]>`, `"><img src=x onerror=${run}>`, `'><img src=x onerror=${run}>`,
  "`<img src=x onerror=" + run + ">`", "```html\n<script>" + run + "</script>\n```", `[x](<javascript:${run}>)`, `[x]: javascript:${run}\n\n[x]`,
  `<javascript:${run}>`, `http://127.0.0.1:9/"onmouseover="${run}`, `[a](http://127.0.0.1:9 "x\\" onmouseover=${run} ")`, `${"<div>".repeat(200)}<img src=x onerror=${run}>`,
  `\u202e<img src=x onerror=${run}>`, `<img src=x onerror=${run} \u0000>`, `{{constructor.constructor('${run}')()}}`, `\${${run}}`,
];
