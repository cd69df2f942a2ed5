// The page: texts, the first chapter (the steps of the start), and what both chapters share.
"use strict";
const D = /*DATA*/null;
const T = {
  en: { title: "How a program starts", chap1: "The start", chap2: "A schedule", prev: "← back", next: "forward →",
    code: "Instructions", regs: "Registers (changed ones marked)", bt: "Backtrace", go: "The same in Go",
    play: "play / pause", schedhead: "A schedule, from an execution trace",
    schedtext: "Two Ps run a small program: a source hands out numbers, three workers compute with them, a sink adds them up. A goroutine runs on a P, waits for something, or is runnable and waits for a P. Each move is an event of GODEBUG=exectrace.",
    foot: "Made from a real run under gdb. Keys: ← → or k j, Home, End; each step has a link of its own.",
    runnable: "runnable", waiting: "waiting", ended: "ended", at: "at", took: "took", entry: "the first instruction",
    stack: "the process's stack, as the kernel left it", g0: "g0: 64 KB of that stack", tls: "thread-local storage in m0.tls",
    links: "who finds whom", os: "the machine", schedbox: "sched", allm: "allm: threads", allp: "allp: processors",
    allgs: "allgs: goroutines", none: "none yet", all: "All values, as gdb read them", spoil: "If it is spoiled (boot break-it)", picture: "memory, links and queues",
    pstack: "the process's stack", g0stack: "g0's stack: 64 KB, not to scale", free: "nobody's yet", pairs: "pairs",
    pointers: "pointers", bytes: "bytes in use", thread: "thread", self: "self", guard: "guard", tlsother: "this M's thread-local storage", on: "stack of", onother: "another g0",
    queues: "who runs what, and what is queued", nom: "no M", nop: "no P yet: procresize makes them", mwithout: "Ms without a P",
    global: "global queue", elsewhere: "goroutines that are in no queue", nog: "no goroutine yet: newproc makes the first", step: "link to this step",
    b0: "rt0_go, in assembly", b1: "check, args, osinit", b2: "schedinit", b3: "the first goroutine", b4: "runtime.main",
    e_run: "g{g} runs on P{x}", e_end: "g{g} ends", e_ready: "g{g} lets others run ({x})", e_wait: "g{g} waits: {x}", e_go: "g{x} makes g{g}",
    e_steal: "P{p} takes g{g} from P{x}", e_unblock: "g{x} wakes g{g}", e_sys: "the scheduler wakes g{g}", e_gosys: "g{g} is made" },
  zh: { title: "程序是怎样启动的", chap1: "启动过程", chap2: "一段调度", prev: "← 后退", next: "前进 →",
    code: "指令", regs: "寄存器（有变化的已标出）", bt: "回溯", go: "在 Go 中的对应位置",
    play: "播放 / 暂停", schedhead: "一段调度，取自执行跟踪",
    schedtext: "两个 P 运行一个小程序：一个源头分发数字，三个工人用它们计算，一个汇点求和。协程或者在某个 P 上运行，或者在等待某事，或者可运行而在等 P。每次移动都是 GODEBUG=exectrace 的一个事件。",
    foot: "取自在 gdb 下的真实运行。按键：← → 或 k j、Home、End；每一步都有自己的链接。",
    runnable: "可运行", waiting: "等待", ended: "已结束", at: "时刻", took: "用时", entry: "第一条指令",
    stack: "内核留下的进程栈", g0: "g0：其中的 64 KB", tls: "m0.tls 中的线程局部存储",
    links: "谁能找到谁", os: "机器", schedbox: "sched", allm: "allm：线程", allp: "allp：处理器",
    allgs: "allgs：协程", none: "还没有", all: "gdb 读到的全部数值", spoil: "如果弄坏它（boot break-it）", picture: "内存、联系和队列",
    pstack: "进程的栈", g0stack: "g0 的栈：64 KB, 未按比例", free: "还不属于谁", pairs: "对", pointers: "个指针", bytes: "字节在用",
    thread: "线程", self: "自身", guard: "guard", tlsother: "这个 M 的线程局部存储", on: "栈属于", onother: "另一个 g0", queues: "谁在运行，谁在排队", nom: "没有 M",
    nop: "还没有 P：由 procresize 造出", mwithout: "没有 P 的 M", global: "全局队列", elsewhere: "不在任何队列里的协程",
    nog: "还没有协程：newproc 造第一个", step: "本步骤的链接",
    b0: "rt0_go（汇编）", b1: "check、args、osinit", b2: "schedinit", b3: "第一个协程", b4: "runtime.main",
    e_run: "g{g} 在 P{x} 上运行", e_end: "g{g} 结束", e_ready: "g{g} 让出（{x}）", e_wait: "g{g} 等待：{x}", e_go: "g{x} 造出 g{g}",
    e_steal: "P{p} 从 P{x} 取走 g{g}", e_unblock: "g{x} 唤醒 g{g}", e_sys: "调度器唤醒 g{g}", e_gosys: "造出 g{g}" },
};
const $ = id => document.getElementById(id);
let lang = "en", cur = 0;
const esc = s => String(s).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const store = { get(k) { try { return localStorage.getItem(k) } catch { return null } },
  set(k, v) { try { localStorage.setItem(k, v) } catch { /* a page from a file may not be allowed to */ } } };

// ---- drawing: panels of rows; each value carries its key, so that it can be found and compared ----
const W = 372, LH = 17;
function clip(s, n) { return s.length > n ? s.slice(0, n - 1) + "…" : s }
function panel(title, rows) {
  let y = 22, out = "";
  for (const [sec, key, label, text, changed] of rows) {
    const id = sec ? ` data-k="${esc(sec + "." + key)}" data-v="${esc(text)}"` : "";
    const lab = label ? `<tspan class="k">${esc(clip(label, 15))} </tspan>` : "";
    const room = 49 - (label ? Math.min(label.length, 15) + 1 : 0);
    out += `<text x="12" y="${y += LH}"${id}${changed ? ' class="ch"' : ""}>${changed ? "▸" : ""}${lab}${esc(clip(text, room))}<title>${esc(text)}</title></text>`;
  }
  const h = y + 12;
  return `<svg viewBox="0 0 ${W} ${h}" width="${W}" height="${h}" role="img" aria-label="${esc(title)}"><text class="t" x="12" y="18">${esc(title)}</text>${out}</svg>`;
}
function drawing(step) {
  const st = step.state, t = T[lang], ch = new Set(step.changed.map(([a, b]) => a + "." + b));
  const row = (sec, key, label, text) => [sec, key, label, text, ch.has(sec + "." + key)];
  const all = (sec, map) => { const r = Object.entries(map).map(([k, v]) => row(sec, k, k, v)); return r.length ? r : [["", "", "", t.none, false]] };
  const out = [], ps = st["process stack"];
  if (ps["argc at"]) {
    const P = "process stack", keep = ["AT_SYSINFO_EHDR", "AT_PAGESZ", "AT_PHDR", "AT_ENTRY", "AT_RANDOM", "AT_HWCAP2"];
    const rows = [row(P, "auxv at", "auxv", `${ps["auxv at"]}, ${ps.auxv.length} entries`)];
    for (const [k, v] of ps.auxv) if (keep.includes(k)) rows.push(["", "", "  " + k.slice(3), v, false]);
    rows.push(row(P, "envp at", "envp", `${ps["envp at"]}, ${ps.envp}`), row(P, "argv at", "argv", `${ps["argv at"]}: ${ps.argv.map(a => a.replace(/.*\//, "")).join(" ")}`),
      row(P, "argc at", "argc", `${ps["argc at"]}: ${ps.argc}`), row("cpu", "sp", "SP", st.cpu.sp));
    out.push(panel(t.stack, rows));
  }
  out.push(panel(t.g0, [row("g0", "stack.hi", "stack.hi", st.g0["stack.hi"]), row("g0", "sp", "SP", st.g0.sp),
    row("g0", "stackguard0", "stackguard0", st.g0.stackguard0), row("g0", "stack.lo", "stack.lo", st.g0["stack.lo"]),
    row("g0", "sched.sp", "sched.sp", st.g0["sched.sp"])]));
  out.push(panel(t.tls, Object.entries(st.tls).map(([k, v]) => row("tls", k, k, v))));
  out.push(panel(t.links, Object.entries(st.links).map(([k, v]) => row("links", k, k, v))));
  out.push(panel(t.os, all("os", st.os)), panel(t.schedbox, all("sched", st.sched)));
  for (const k of ["allm", "allp", "allgs"]) {
    const rows = [];
    for (const [n, v] of Object.entries(st[k])) {
      const parts = v.split(", ");
      rows.push(row(k, n, n, parts.slice(0, 2).join(", ")));
      for (let i = 2; i < parts.length; i += 2) rows.push(["", "", "", "    " + parts.slice(i, i + 2).join(", "), false]);
    }
    out.push(panel(t[k], rows.length ? rows : [["", "", "", t.none, false]]));
  }
  return out.join("");
}

// ---- chapter 1 ----
const dur = ns => ns === undefined ? "" : ns < 1000 ? `${ns} ns` : ns < 1e6 ? `${(ns / 1000).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
const whoText = s => s.who.m < 0 ? "thread 1" : `m${s.who.m} ${s.who.p < 0 ? "(no P)" : "p" + s.who.p} ${s.who.g > 0 ? "g" + s.who.g : "g0"}`;
// Go's file as a link to its source, for who has a network.
function goLinks(text) {
  return text.split("; ").map(part => {
    const m = part.match(/^(runtime\/\S+?\.(?:go|s|c))(.*)$/);
    return m ? `<code><a href="https://github.com/golang/go/blob/go1.19.8/src/${m[1]}" rel="noopener" target="_blank">${esc(m[1])}</a>${esc(m[2])}</code>` : `<code>${esc(part)}</code>`;
  }).join("<br>");
}
// Source in colours, by highlight.js if the page was made with it; line by line.
const AT_T = { case_insensitive: false, contains: [
  { scope: "comment", begin: /\/\//, end: /$/ }, { scope: "comment", begin: /\/\*/, end: /\*\// }, { scope: "string", begin: /"/, end: /"/ },
  { scope: "variable", begin: /%\w+/ }, { scope: "symbol", begin: /^\s*[\w.$]+:/ }, { scope: "title", begin: /<[^>]+>/ },
  { scope: "meta", begin: /^\s*[.#][a-z_]+/ }, { scope: "keyword", begin: /^(?:=>)?\s*(?:0x[0-9a-f]+\s+)?[a-z]\w*(?=\s|$)/ },
  { scope: "number", begin: /[$]?-?\b(?:0x[0-9a-f]+|\d+)\b/ }] };
const HL = typeof hljs === "undefined" ? null : hljs;
if (HL) { HL.registerLanguage("cpp", hljsCpp); HL.registerLanguage("att", () => AT_T) }
function paint(text, file) {
  if (!HL) return text.split("\n").map(esc);
  // A comment that goes over several lines is one element: close and open it at each end of a line.
  let open = [];
  return HL.highlight(text, { language: /\.S$/.test(file) ? "att" : "cpp" }).value.split("\n").map(line => {
    const begin = open.join("");
    for (const tag of line.match(/<span[^>]*>|<\/span>/g) || []) tag === "</span>" ? open.pop() : open.push(tag);
    return begin + line + "</span>".repeat(open.length);
  });
}
function hash(i) { return `#step-${i}` }
function show(i, push = true) {
  const t = T[lang], n = D.steps.length;
  cur = Math.max(0, Math.min(n - 1, i));
  const s = D.steps[cur], old = cur ? D.steps[cur - 1].registers : {};
  $("head").innerHTML = `${cur}. <code>${esc(s.symbol)}</code><a href="${hash(cur)}" aria-label="${esc(t.step)}">#</a>`;
  const facts = [esc(whoText(s))];
  if (s.ns !== undefined) facts.push(`${t.at} <b>${dur(s.ns)}</b>`);
  if (s.took) facts.push(`${t.took} <b>${dur(s.took)}</b>`);
  if (s.values.length) facts.push(s.values.map(([k, v]) => `${esc(k)}=<b>${esc(v)}</b>`).join("  "));
  $("who").innerHTML = facts.join(" · ");
  const L = D.labels[lang], x = s.texts[lang];
  $("lead").textContent = x.why;
  $("pic").innerHTML = picture(s);
  $("why").innerHTML = ["needs", "gives", "breaks"].map(k => `<dt>${esc(L[k])}</dt><dd>${esc(x[k])}</dd>`).join("") +
    `<dt>${esc(t.go)}</dt><dd>${goLinks(s.go)}</dd>`;
  // What comes of spoiling this step, with the first of its name.
  const lesson = D.steps.findIndex(o => o.symbol === s.symbol) === cur ? D.lessons[s.symbol] : undefined;
  $("broken").hidden = !lesson;
  if (lesson) { $("what").textContent = lesson.what + ":"; $("out").textContent = lesson.out; $("moral").textContent = lesson.moral }
  $("file").textContent = `${s.file}:${s.line}`;
  $("src").innerHTML = paint(s.source.map(l => l[1]).join("\n"), s.file).map((html, k) => `<span class="${s.source[k][0] === s.line ? "here" : ""}"><span class="n">${String(s.source[k][0]).padStart(4)} </span>${html || " "}</span>`).join("\n");
  $("code").innerHTML = paint(s.code.join("\n"), ".S").map((html, k) => `<span class="${s.code[k].startsWith("=>") ? "here" : ""}">${html}</span>`).join("\n");
  $("regs").innerHTML = Object.entries(s.registers).map(([k, v]) => `<span class="${cur && old[k] !== v ? "ch" : ""}">${k.padEnd(6).replace(/ /g, "&nbsp;")} ${v}</span>`).join("");
  $("bt").textContent = s.bt.map((f, k) => `#${k} ${f}`).join("\n");
  $("draw").innerHTML = drawing(s);
  $("count").textContent = `${cur} / ${n - 1}`;
  $("list").value = cur;
  $("prev").disabled = cur === 0;
  $("next").disabled = cur === n - 1;
  document.querySelectorAll("#time rect").forEach((r, k) => r.setAttribute("fill", k === cur ? "var(--new)" : k < cur ? "var(--acc)" : "var(--line)"));
  document.querySelectorAll("#bands span").forEach(b => b.classList.toggle("on", cur >= +b.dataset.from && cur < +b.dataset.to));
  if (push && location.hash !== hash(cur)) history.replaceState(null, "", hash(cur));
}
function timeline() {
  const n = D.steps.length, w = 1000 / n;
  $("time").setAttribute("viewBox", "0 0 1000 44");
  $("time").setAttribute("preserveAspectRatio", "none");
  // Height: how long the step took, on a logarithmic scale.
  $("time").innerHTML = D.steps.map((s, k) => {
    const h = Math.max(6, Math.min(40, 6 + 7 * Math.log10(1 + (s.took || 0) / 100)));
    return `<rect x="${k * w}" y="${42 - h}" width="${w * .82}" height="${h}" data-i="${k}"><title>${esc(s.symbol)} ${dur(s.took)}</title></rect>`;
  }).join("");
  bands();
}
// What the parts of the start are: each begins with the step of that name.
function bands() {
  const at = name => D.steps.findIndex(s => s.symbol === name), n = D.steps.length, t = T[lang];
  const from = [0, at("runtime.check"), at("runtime.schedinit"), at("runtime.procresize") + 1, at("runtime.main"), n];
  $("bands").innerHTML = from.slice(0, -1).map((f, i) => `<span style="width:${100 * (from[i + 1] - f) / n}%" title="${t["b" + i]}" data-from="${f}" data-to="${from[i + 1]}">${t["b" + i]}</span>`).join("");
}

// ---- both ----
function texts() {
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.querySelectorAll("[data-t]").forEach(e => { e.textContent = T[lang][e.dataset.t] });
  document.title = T[lang].title + ": " + D.program;
  $("lang").textContent = lang === "en" ? "中文" : "English";
}
function chapter(n) {
  $("start").hidden = n !== 1; $("sched").hidden = n !== 2;
  $("c1").setAttribute("aria-pressed", n === 1); $("c2").setAttribute("aria-pressed", n === 2);
  if (n === 2) { lanes(); schedTexts(); moment(at); history.replaceState(null, "", "#schedule") } else show(cur);
  if (n === 1 && timer) play();
}
function fromHash() {
  const m = location.hash.match(/^#step-(\d+)$/), name = D.steps.findIndex(s => "#" + s.symbol === decodeURIComponent(location.hash));
  if (location.hash === "#schedule") chapter(2);
  else { if (m) cur = Math.min(+m[1], D.steps.length - 1); else if (name >= 0) cur = name; chapter(1) }
}
$("list").innerHTML = D.steps.map((s, k) => `<option value="${k}">${k}. ${esc(s.symbol)}</option>`).join("");
$("list").onchange = e => show(+e.target.value);
$("prev").onclick = () => show(cur - 1); $("next").onclick = () => show(cur + 1);
$("time").onclick = e => { if (e.target.dataset.i) show(+e.target.dataset.i) };
$("c1").onclick = () => chapter(1); $("c2").onclick = () => chapter(2);
$("lang").onclick = () => { lang = lang === "en" ? "zh" : "en"; store.set("lang", lang); texts(); bands(); $("start").hidden ? (schedTexts(), moment(at)) : show(cur) };
$("theme").onclick = () => {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  document.documentElement.dataset.theme = dark ? "light" : "dark"; store.set("theme", document.documentElement.dataset.theme);
};
$("run").onclick = play; $("back").onclick = () => moment(at - 1); $("fwd").onclick = () => moment(at + 1);
$("pos").oninput = e => moment(+e.target.value);
document.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === "SELECT" || e.target.type === "range") return;
  const two = $("start").hidden, go = two ? moment : show, i = two ? at : cur, last = (two ? moments : D.steps).length - 1;
  const to = { ArrowRight: i + 1, j: i + 1, ArrowLeft: i - 1, k: i - 1, Home: 0, End: last }[e.key];
  if (to !== undefined) { e.preventDefault(); go(to) } else if (e.key === " " && two) { e.preventDefault(); play() }
});
addEventListener("hashchange", fromHash);
function begin() {
  if (store.get("theme")) document.documentElement.dataset.theme = store.get("theme");
  lang = store.get("lang") || ((navigator.language || "").startsWith("zh") ? "zh" : "en");
  prepare();
  $("pos").max = Math.max(0, moments.length - 1);
  timeline();
  texts();
  fromHash();
}
