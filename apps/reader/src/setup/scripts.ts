/**
 * What the pages do in the browser, as text that is served as files of its own (`default-src 'self'` allows no other). Nothing of it
 * is executed here. Texts come translated from the server in a JSON element.
 */

/** All pages: choosing language and theme needs no second click. */
export const COMMON_SCRIPT = `
'use strict';
for (const select of document.querySelectorAll('.look select')) select.addEventListener('change', () => select.form.submit());
for (const button of document.querySelectorAll('.look .change')) button.hidden = true;
`;

/** The settings page: tests with their steps as they come, fields of the chosen protocol, and a word before unsaved changes are left. */
export const SETTINGS_SCRIPT = `
'use strict';
const T = JSON.parse(document.getElementById('texts').textContent);
const form = document.getElementById('settings');
let dirty = document.body.dataset.dirty === 'yes', sending = false;
const mark = () => { document.getElementById('unsaved').textContent = dirty ? T.unsaved : ''; };
form.addEventListener('input', () => { dirty = true; mark(); });
form.addEventListener('submit', () => { sending = true; });
addEventListener('beforeunload', (event) => { if (dirty && !sending) event.preventDefault(); });
mark();
// What a switch governs is shown when it is on.
for (const part of document.querySelectorAll('[data-master]')) {
  const master = document.getElementById(part.dataset.master);
  const show = () => { part.hidden = master.value !== 'yes' && !part.querySelector('[aria-invalid]'); };
  master.addEventListener('change', show);
  show();
}
// What other protocols have is folded away.
for (const select of form.querySelectorAll('select[name$=".protocol"]')) {
  const member = select.closest('fieldset'), plain = member.querySelector('.fields'), more = member.querySelector('details .fields');
  const own = [...member.querySelectorAll('[data-protocols]')];
  select.addEventListener('change', () => {
    for (const field of own) (field.dataset.protocols.split(' ').includes(select.value) ? plain : more).append(field);
  });
}
for (const button of document.querySelectorAll('[data-test]')) {
  button.hidden = false;
  button.addEventListener('click', () => test(button));
}
async function test(button) {
  const list = button.closest('.test').querySelector('.steps'), label = button.textContent;
  const say = (text, result) => {
    const last = list.lastElementChild;
    if (last && last.textContent === text) return;
    const li = document.createElement('li');
    li.textContent = text;
    if (result) li.className = result;
    list.append(li);
  };
  list.replaceChildren();
  button.disabled = true;
  button.textContent = T.testing;
  let ended = false;
  try {
    const body = new URLSearchParams(new FormData(form));
    body.set('do', 'test.' + button.dataset.test);
    const response = await fetch('/test', { method: 'POST', body });
    if (response.redirected || !response.ok) throw new Error();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\\n');
      rest = lines.pop();
      for (const line of lines) { if (!line) continue; const step = JSON.parse(line); say(step.text, step.result); ended = ended || !!step.result; }
    }
  } catch { /* told below */ }
  if (!ended) say(T.testEnded, 'bad');
  button.disabled = false;
  button.textContent = label;
}
const note = document.getElementById('note');
const wrong = document.querySelector('[aria-invalid]');
if (wrong) wrong.focus(); else if (note) note.focus();
`;

/** The status page: draws what the server tells, twice a second at most. */
export const STATUS_SCRIPT = `
'use strict';
const T = JSON.parse(document.getElementById('texts').textContent);
const lang = document.documentElement.lang;
const host = document.getElementById('live'), line = document.getElementById('line');
const NS = 'http://www.w3.org/2000/svg';
const whole = new Intl.NumberFormat(lang), one = new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }), two = new Intl.NumberFormat(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { dateStyle: 'short', timeStyle: 'short' });
const fill = (text, values) => text.replace(/\\{(\\w+)\\}/g, (all, k) => values[k] === undefined ? all : typeof values[k] === 'number' ? whole.format(values[k]) : values[k]);
const say = (key, values) => fill((values && values.n === 1 && T[key + '_one']) || T[key], values || {});
// h('dl.wide', {title: 'x'}, child, …): texts are texts
function h(what, attributes, ...children) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const k in attributes) if (attributes[k] !== undefined) node.setAttribute(k, attributes[k]);
  node.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}
function s(tag, attributes, ...children) {
  const node = document.createElementNS(NS, tag);
  for (const k in attributes) node.setAttribute(k, attributes[k]);
  node.append(...children);
  return node;
}
const span = (ms) => { const x = Math.max(0, Math.round(ms / 1000)); return x < 90 ? x + ' s' : x < 5400 ? Math.round(x / 60) + ' min' : x < 172800 ? Math.round(x / 3600) + ' h' : Math.round(x / 86400) + ' d'; };
const bytes = (n) => n >= 1e9 ? two.format(n / 1e9) + ' GB' : n >= 1e6 ? one.format(n / 1e6) + ' MB' : whole.format(Math.round(n / 1e3)) + ' kB';
const watts = (w) => Math.abs(w) >= 10000 ? two.format(w / 1000) + ' kW' : whole.format(Math.round(w)) + ' W';
const rows = (...pairs) => h('dl', {}, pairs.filter(Boolean).flatMap(([k, v]) => [h('dt', {}, k), h('dd', {}, v)]));
const bar = (share, classes) => h('div.' + classes, { 'aria-hidden': 'true' }, s('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none' }, s('rect', { width: Math.max(0, Math.min(100, share * 100)), height: 10 })));
const opened = new Set();
function decimals(text) { const [a, b = ''] = text.split('.'); try { const n = BigInt(a); return (a === '-0' ? '-' : '') + whole.format(n) + (b ? one.format(0.1).charAt(1) + b : ''); } catch { return text; } }

// Drawn when it has its place, for letters must not be stretched.
function curve(points, now) {
  const root = s('svg', { class: 'curve', role: 'img' });
  later.push(() => drawCurve(root, points, now));
  return root;
}
const later = [];
function drawCurve(root, points, now) {
  const width = Math.max(220, root.clientWidth), height = 144, left = 58, bottom = 18;
  const values = points.map((p) => p[1]);
  const high = Math.max(100, ...values), low = Math.min(0, ...values);
  const range = high - low, raw = range / 3, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
  const top = Math.ceil(high / step) * step, foot = Math.floor(low / step) * step;
  const y = (w) => 8 + (height - bottom - 8) * (1 - (w - foot) / (top - foot)), x = (t) => left + (width - left - 4) * (1 - (now - t) / 600000);
  root.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  root.setAttribute('aria-label', say('curve', { low: watts(Math.min(...values)), high: watts(Math.max(...values)) }));
  for (let w = foot; w <= top + step / 2; w += step) {
    root.append(s('line', { class: Math.abs(w) < step / 2 ? 'axis zero' : 'axis', x1: left, x2: width, y1: y(w), y2: y(w) }), s('text', { x: left - 6, y: y(w) + 4, 'text-anchor': 'end' }, watts(w)));
  }
  for (const minutes of [10, 5, 0]) root.append(s('text', { x: Math.min(width - 2, x(now - minutes * 60000)), y: height - 3, 'text-anchor': minutes === 10 ? 'start' : minutes ? 'middle' : 'end' }, minutes ? '−' + minutes + ' min' : '0'));
  // A gap is a gap: a meter that was silent did not draw a straight line.
  const usual = points.length > 2 ? (points[points.length - 1][0] - points[0][0]) / (points.length - 1) : 10000;
  let runs = [], run = [];
  points.forEach((p, i) => { if (i && p[0] - points[i - 1][0] > Math.max(30000, 4 * usual)) { runs.push(run); run = []; } run.push(p); });
  runs.push(run);
  for (const r of runs) {
    const path = r.map((p) => x(p[0]).toFixed(1) + ',' + y(p[1]).toFixed(1)).join(' ');
    if (r.length > 1) root.append(s('polygon', { class: 'area', points: x(r[0][0]).toFixed(1) + ',' + y(0) + ' ' + path + ' ' + x(r[r.length - 1][0]).toFixed(1) + ',' + y(0) }));
    root.append(s('polyline', { class: 'run', points: path }));
  }
}
function details(key, title, build) {
  const node = h('details', {}, h('summary', {}, title));
  const grow = () => { if (node.children.length === 1) node.append(build()); };
  if (opened.has(key)) { node.open = true; grow(); }
  node.addEventListener('toggle', () => { if (node.open) { opened.add(key); grow(); } else opened.delete(key); });
  return node;
}
function table(d) {
  return h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': say('allValues', { n: d.values.length }) }, h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, T.name), h('th.right', { scope: 'col' }, T.value), h('th.right', { scope: 'col' }, T.time))),
    h('tbody', {}, d.values.map((v) => h('tr', {}, h('td', {}, v.label, v.obis ? h('span.soft', {}, ' ' + v.obis) : undefined), h('td.right', {}, (v.text ?? decimals(v.value)) + (v.unit ? ' ' + v.unit : '')), h('td.right', {}, clock.format(v.at)))))));
}
function meter(d, now) {
  const head = h('div.top', {}, h('h3', {}, T[d.medium] + ' ' + d.id), d.silent ? h('span.mark.bad', {}, say('silent', { time: span(now - d.seen) })) : h('span.soft', {}, d.maker ? d.maker + (d.type ? ' ' + d.type : '') : ''));
  const card = h('section.card' + (d.power === undefined ? '' : '.two'), { 'aria-label': T[d.medium] + ' ' + d.id }, head);
  if (d.power !== undefined) {
    card.append(h('p.watts' + (d.power < 0 ? '.export' : ''), {}, watts(Math.abs(d.power)), ' ', h('small', {}, d.power > 0 ? T.importing : d.power < 0 ? T.exporting : T.idle)));
    card.append(d.history.length > 1 ? curve(d.history, now) : h('p.soft', {}, T.noCurve));
    if (d.history.length > 1) card.append(h('p.soft', {}, T.lastMinutes));
  }
  if (d.phases.length) {
    const most = Math.max(16, ...d.phases.map((p) => p.amps ?? 0));
    card.append(h('div.phases', { role: 'group', 'aria-label': T.phases }, d.phases.flatMap((p, i) => [h('b', {}, p.name), bar((p.amps ?? 0) / most, 'gauge.l' + (i + 1)), h('span.right', {}, p.amps === undefined ? '–' : two.format(p.amps) + ' A'), h('span.right', {}, p.volts === undefined ? '–' : one.format(p.volts) + ' V')])));
  }
  if (d.main.length) card.append(rows(...d.main.map((v) => [v.label, decimals(v.value) + ' ' + v.unit])));
  if (d.values.length) card.append(details('values ' + d.id, say('allValues', { n: d.values.length }), () => table(d)));
  return card;
}
function port(p, now) {
  const refused = Object.entries(p.refused).sort((a, b) => b[1] - a[1]);
  return h('section.card', { 'aria-label': p.name }, h('div.top', {}, h('h3', {}, p.name), h('span.mark.' + (p.state === 'up' ? 'good' : p.state === 'down' ? 'bad' : 'soft'), {}, T['state' + p.state[0].toUpperCase() + p.state.slice(1)])),
    h('p.soft', {}, h('code', {}, p.device)), p.fault ? h('p.fault-line', {}, p.fault) : p.note ? h('p.soft', {}, p.note) : undefined,
    rows([T.good, whole.format(p.good)], p.sealed ? [T.sealed, whole.format(p.sealed)] : undefined,
      [T.refusedFrames, refused.length ? refused.map(([k, n]) => k + ' ' + whole.format(n)).join(', ') : '0'],
      [T.bytes, whole.format(p.bytes) + (p.noise ? ' (' + T.noise + ' ' + whole.format(p.noise) + ')' : '')],
      [T.lastMessage, p.last ? say('ago', { time: span(now - p.last.at) }) + (p.last.list ? ', ' + p.last.list : '') + (p.last.error ? ', ' + p.last.error : '') : T.never]));
}
function uplink(u, now) {
  return h('section.card', { 'aria-label': u.name }, h('div.top', {}, h('h3', {}, u.target), h('span.mark.' + (u.state === 'up' ? 'good' : u.state === 'down' ? 'bad' : 'soft'), {}, T['link' + u.state[0].toUpperCase() + u.state.slice(1)])),
    u.fault ? h('p.fault-line', {}, u.fault) : undefined,
    rows([T.waiting, whole.format(u.waiting)], [T.delivered, whole.format(u.delivered) + (u.lastDelivery ? ', ' + say('ago', { time: span(now - u.lastDelivery) }) : '')], u.refused ? [T.refusedFrames, whole.format(u.refused) + (u.refusal ? ': ' + u.refusal : '')] : undefined));
}
const block = (title, none, cards) => h('section.block', {}, h('h2', {}, title), cards.length ? h('div.grid', {}, cards) : h('p.soft', {}, none));
function draw(state) {
  const now = state.now;
  const well = state.causes.length === 0;
  const parts = [h('section.card.sum' + (well ? '' : '.ill'), {}, h('div', {}, h('h1', {}, well ? T.wellTitle : state.ports ? T.illTitle : T.notSetUp), !state.ports || well ? undefined : h('ul', {}, state.causes.map((c) => h('li', {}, c)))))];
  if (state.ports) {
    parts.push(block(T.meters, T.noMeters, state.devices.map((d) => meter(d, now))), block(T.ports, T.noPorts, state.ports.map((p) => port(p, now))), block(T.uplinks, T.noUplinks, state.uplinks.map((u) => uplink(u, now))));
    const k = state.spool;
    parts.push(h('section.block', {}, h('h2', {}, T.spool), h('section.card', {}, h('div.top', {}, h('h3', {}, say('spoolOf', { used: bytes(k.bytes), room: bytes(k.maxBytes) })), h('span.soft', {}, say('messages', { n: k.messages }) + (k.oldest ? ', ' + say('since', { time: day.format(k.oldest) }) : ''))), bar(k.bytes / k.maxBytes, 'room'), h('p.soft', {}, h('code', {}, k.folder)), k.fault ? h('p.fault-line', {}, k.fault) : undefined, k.thinned ? h('p.soft', {}, say('thinnedOut', { n: k.thinned })) : undefined, k.dropped ? h('p.fault-line', {}, say('droppedOut', { n: k.dropped })) : undefined)));
    parts.push(block(T.gateways, T.noGateways, state.gateways.map((g) => h('section.card', { 'aria-label': g.name }, h('div.top', {}, h('h3', {}, g.name), h('span.mark.' + (g.state === 'up' ? 'good' : 'bad'), {}, g.state !== 'up' ? T.linkDown : g.clients === undefined ? T.linkUp : T.stateUp)), g.fault ? h('p.fault-line', {}, g.fault) : undefined, h('p.soft', {}, say('told', { n: g.count }) + (g.clients === undefined ? '' : ' · ' + say('clients', { n: g.clients })))))));
  }
  const held = document.activeElement && host.contains(document.activeElement) ? path(document.activeElement) : undefined;
  host.replaceChildren(...parts);
  for (const work of later.splice(0)) work();
  if (held) { let node = host; for (const i of held) node = node && node.children[i]; if (node && node.focus) node.focus({ preventScroll: true }); }
  document.body.dataset.ready = 'yes';
}
// Who is in a table with the keyboard stays there while it is drawn anew.
function path(node) { const out = []; for (; node !== host; node = node.parentElement) out.unshift([...node.parentElement.children].indexOf(node)); return out; }
const known = new Map();
function take(state) {
  for (const d of state.devices || []) {
    const old = known.get(d.id) || [];
    // The whole curve comes once, then only what is new.
    const all = state.whole ? d.history : old.concat(d.history);
    d.history = all.filter((p) => state.now - p[0] <= 600000);
    known.set(d.id, d.history);
  }
  draw(state);
}
let events;
function listen() {
  events = new EventSource('/events');
  events.onopen = () => { line.className = 'line'; line.textContent = T.live; };
  events.onmessage = (event) => take(JSON.parse(event.data));
  events.onerror = () => {
    line.className = 'line gone';
    line.textContent = T.lost;
    if (events.readyState === 2) { events.close(); setTimeout(async () => { const r = await fetch('/state').catch(() => undefined); if (r && r.status === 401) location.reload(); else listen(); }, 3000); }
  };
}
take(JSON.parse(document.getElementById('state').textContent));
listen();
addEventListener('pagehide', () => events && events.close());
`;
