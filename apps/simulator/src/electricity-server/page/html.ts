/** The page: one document without anything from elsewhere, and the policy that holds it to that. */
import { createHash } from 'node:crypto';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';
import { TEXTS as T } from './texts.ts';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const phase = (i: number): string => `<button type="button" data-phase="${i}" aria-pressed="true">L${i + 1}</button>`;
/** JSON cannot end the element that it stands in. */
const texts = JSON.stringify(T).replaceAll('<', '\\u003c');

export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  // Lamps that stay lit at half are dimmed by script, which the policy counts as no inline style.
  `style-src ${hash(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const logTable = (id: string, none: string, heading: string): string => `
<section class="card" aria-labelledby="h-${id}"><h2 id="h-${id}">${heading}</h2>
<div class="scroll" tabindex="0" role="group" aria-labelledby="h-${id}"><table><thead><tr><th scope="col">${T.time}</th><th scope="col">${T.event}</th></tr></thead>
<tbody id="${id}"></tbody></table></div><p class="soft" id="no${id}">${none}</p></section>`;

export const HTML = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${T.title}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main>
<div class="column">
<section class="meter" aria-labelledby="title">
<div class="plate"><h1 id="title">${T.title}</h1><p><span id="serial"></span> · <span id="kind"></span></p></div>
<div class="lcd" role="group" aria-label="${T.display}">
<div class="top"><span class="code" id="code"></span><span class="unit" id="unit"></span></div>
<div id="digits"></div><span class="hide" id="shown"></span>
<div class="bottom"><span id="clock"></span><span class="marks" aria-hidden="true"><span class="mark" id="mark0">L1</span> <span class="mark" id="mark1">L2</span> <span class="mark" id="mark2">L3</span> <span id="rate"></span></span></div></div>
<div class="buttons"><button type="button" id="next">${T.next}</button><button type="button" id="rotate">${T.pause}</button></div>
<h2 class="hide">${T.lights}</h2><ul class="lights" id="lights"></ul>
<div class="switch"><div><h2>${T.disconnecter}</h2><p id="relay"></p></div><button type="button" id="press">${T.press}</button></div>
<p class="say" id="told" role="status"></p>
</section>
<section class="card" aria-labelledby="h-mains"><h2 id="h-mains">${T.mains}</h2>
<div class="buttons">${[0, 1, 2].map(phase).join('')}<button type="button" id="all">${T.allOff}</button></div>
<p class="soft" id="volts"></p><p class="soft" id="failures"></p>
<div id="inputs"><div class="buttons"><button type="button" id="alert" aria-pressed="false">${T.alert}</button>
<button type="button" id="rateinput" aria-pressed="false">${T.rateInput}</button></div></div></section>
<section class="card" id="messagecard" hidden><h2>${T.message}</h2><p class="say" id="message"></p></section>
</div>
<div class="column">
<section class="card" aria-labelledby="h-power"><h2 id="h-power">${T.power}</h2><div class="figure" id="watts"></div>
<p class="soft">${T.powerOf}</p><svg class="chart" id="chart" role="img" aria-label="${T.powerOf}" hidden></svg><p class="soft" id="norows" hidden>${T.noRows}</p></section>
<div class="pair">
<section class="card" aria-labelledby="h-registers"><h2 id="h-registers">${T.registers}</h2><table><thead><tr><th scope="col">${T.code}</th><th scope="col">${T.register}</th><th scope="col" class="right">${T.value}</th></tr></thead><tbody id="registers"></tbody></table></section>
<section class="card" aria-labelledby="h-slaves"><h2 id="h-slaves">${T.slaves}</h2><table id="slavetable" hidden><thead><tr><th scope="col">${T.medium}</th><th scope="col">${T.code}</th><th scope="col" class="right">${T.value}</th></tr></thead><tbody id="slaves"></tbody></table><p class="soft" id="noslaves">${T.noSlaves}</p></section>
</div>
<div class="pair">${logTable('events', T.noEvents, T.events)}${logTable('switching', T.noEvents, T.disconnecterEvents)}</div>
</div></main>
<p class="gone" id="gone" role="alert" hidden>${T.lost}</p>
<script type="application/json" id="texts">${texts}</script><script>${SCRIPT}</script></body></html>`;
