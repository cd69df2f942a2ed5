// The picture of a step: memory, thread-local storage, who points to whom, and where goroutines are queued. Every value
// in it carries data-k (where it is in the snapshot that gdb took) and data-v, so that it can be compared.
"use strict";
const COLOURS = { running: "--run", runnable: "--ready", waiting: "--wait", syscall: "--wait", dead: "--dead", idle: "--dead" };

function picture(step) {
  const st = step.state, t = T[lang], changed = new Set(step.changed.map(([a, b]) => a + "." + b));
  const out = [], ch = k => changed.has(k);
  // text: at x, y; key "section.name" if it is a value of the snapshot
  const text = (x, y, s, cls = "", key = "", anchor = "start") => {
    const dot = key.indexOf("."), v = key && st[key.slice(0, dot)][key.slice(dot + 1)];
    out.push(`<text x="${x}" y="${y}" text-anchor="${anchor}" class="${cls}${key && ch(key) ? " ch" : ""}"` +
      (key && typeof v === "string" ? ` data-k="${esc(key)}" data-v="${esc(v)}"` : "") + `>${esc(s)}${typeof v === "string" ? `<title>${esc(v)}</title>` : ""}</text>`);
  };
  const rect = (x, y, w, h, cls, r = 3) => out.push(`<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${r}" class="${cls}"/>`);
  const arrow = (d, isNew) => out.push(`<path d="${d}" class="arrow${isNew ? " new" : ""}"/>`);
  const first = s => (s || "").split(" ")[0];

  // ---- the process's stack ----
  const X = 118, MW = 168, ps = st["process stack"];
  text(20, 26, t.pstack, "h");
  let y = 40;
  const cell = (label, key, addr, hgt) => {
    rect(X, y, MW, hgt, key && ch(key) ? "memch" : "mem");
    text(X + MW / 2, y + hgt / 2 + 4, label, "sm", "", "middle");
    if (addr) text(X - 6, y + hgt - 4, addr, "sm k", "", "end");
    y += hgt;
  };
  if (ps["argc at"]) {
    cell(`auxv: ${ps.auxv.length} ${t.pairs}`, "process stack.auxv at", ps["auxv at"], 34);
    cell(`envp: ${(ps.envp || "").split(" ")[0]} ${t.pointers}, 0`, "process stack.envp at", ps["envp at"], 30);
    cell(`argv: ${ps.argv.map(a => clip(a.replace(/.*\//, ""), 14)).join(" ")}, 0`, "process stack.argv at", ps["argv at"], 26);
    cell(`argc = ${ps.argc}`, "process stack.argc at", ps["argc at"], 24);
  }
  const g0 = st.g0, has = g0["stack.hi"] !== "0x0", spv = BigInt(st.cpu.sp), top = y;
  const GH = 236, inside = has && spv <= BigInt(g0["stack.hi"]) && spv >= BigInt(g0["stack.lo"]);
  cell("", "", "", 12);
  rect(X, y, MW, GH, has ? (ch("g0.stack.hi") ? "memch" : "mem") : "box not");
  (has ? t.g0stack : t.free).split(", ").forEach((s, i) => text(X + MW / 2, y + GH / 2 + 20 + 15 * i, s, "lab", "", "middle"));
  const gy = y;
  if (has) {
    text(X - 6, gy + 9, g0["stack.hi"], "sm", "g0.stack.hi", "end");
    text(X + MW + 6, gy + 9, "stack.hi", "sm k");
    text(X - 6, gy + GH, g0["stack.lo"], "sm", "g0.stack.lo", "end");
    const same = g0.stackguard0 === g0["stack.lo"];
    text(X + MW + 6, gy + GH, same ? "stack.lo, guard" : "stack.lo", "sm k");
    if (g0.stackguard0 !== "0x0" && !same) {
      out.push(`<path class="guard" d="M${X} ${gy + GH - 22}H${X + MW}"/>`);
      text(X - 6, gy + GH - 18, g0.stackguard0, "sm", "g0.stackguard0", "end");
      text(X + MW + 6, gy + GH - 18, "stackguard0", "sm k");
    }
    if (inside) {
      // Not to scale: of 64 KB a few hundred bytes are in use.
      const used = Math.max(14, Math.min(GH - 40, 20 * Math.log2(1 + Number(BigInt(g0["stack.hi"]) - spv) / 32)));
      rect(X, gy, MW, used, "used", 0);
      arrow(`M${X + MW + 62} ${gy + used}H${X + MW + 3}`, ch("cpu.sp"));
      text(X + MW + 66, gy + used + 4, "SP", "h");
      text(X + MW / 2, gy + used + 14, `${Number(BigInt(g0["stack.hi"]) - spv)} ${t.bytes}`, "sm k", "", "middle");
    }
  } else if (ps["argc at"]) {
    arrow(`M${X + MW + 62} ${top}H${X + MW + 3}`, ch("cpu.sp"));
    text(X + MW + 66, top + 4, "SP", "h");
  }

  // ---- the thread and its storage ----
  const TX = 400;
  text(TX, 26, `${t.thread} ${first(st.cpu.thread)}`, "h");
  rect(TX, 36, 210, 76, "box live", 8);
  [["PC", st.cpu.pc.split(" at ")[0].split(" (")[0], "cpu.pc"], ["SP", st.cpu.sp, "cpu.sp"], ["BP", st.cpu.bp, "cpu.bp"], ["FS", st.cpu.fs, "cpu.fs"]].forEach(([n, v, k], i) => {
    text(TX + 10, 53 + i * 17, n, "sm k");
    text(TX + 36, 53 + i * 17, clip(v, 25), "sm", k);
  });
  const fs = st.cpu.fs !== "0x0", mine = (st.tls.fs || "").includes("m0.tls");
  // Whose stack SP is on now.
  const holds = v => { const m = v.match(/stack (0x[0-9a-f]+)\.\.(0x[0-9a-f]+)/); return m && spv >= BigInt(m[1]) && spv < BigInt(m[2]) };
  const owner = inside ? "g0" : (Object.entries(st.allgs).find(([, v]) => holds(v)) || [])[0];
  if (has) text(TX + 200, 70, owner ? `${t.on} ${owner}` : t.onother, "sm k", "", "end");
  text(TX, 150, fs && !mine ? t.tlsother : "m0.tls", "h");
  const cells = [["-8", "g", "tls.-8(FS) g"], ["0", t.self, "tls.0(FS) self"], ["+0x70", t.guard, "tls.0x70(FS) guard"]];
  cells.forEach(([off, what, k], i) => {
    const cy = 160 + i * 26, v = st.tls[k.slice(4)];
    rect(TX + 44, cy, 166, 26, v && ch(k) ? "memch" : v ? "mem" : "box not", 0);
    text(TX + 38, cy + 17, off, "sm k", "", "end");
    text(TX + 50, cy + 17, what, "sm k");
    text(TX + 204, cy + 17, v ? clip(v.replace(/ \(.*/, ""), 17) : "–", "sm", v ? k : "", "end");
  });
  if (fs) arrow(`M${TX - 2} 103C${TX - 40} 112 ${TX - 36} 196 ${TX + 4} 199`, ch("cpu.fs") || ch("tls.fs"));

  // ---- who finds whom ----
  const NX = 700, l = st.links, on = v => v && v !== "nil";
  const node = (x, y, name, rows, live, cls = "") => {
    rect(x, y, 180, 26 + rows.length * 18, `box ${live ? "live" : "not"} ${cls}`, 8);
    text(x + 10, y + 18, name, "h");
    rows.forEach(([label, value, key], i) => {
      text(x + 10, y + 38 + i * 18, label, "sm k");
      text(x + 170, y + 38 + i * 18, clip(value, 19), "sm", key, "end");
    });
  };
  const bare = v => (v || "nil").replace(/ \(.*/, "");
  text(NX, 26, t.links, "h");
  node(NX, 150, "g0", [["m", bare(l["g0.m"]), "links.g0.m"], ["sched.sp", g0["sched.sp"], "g0.sched.sp"]], has);
  node(NX + 250, 40, "m0", [["g0", bare(l["m0.g0"]), "links.m0.g0"], ["curg", bare(l["m0.curg"]), "links.m0.curg"], ["p", bare(l["m0.p"]), "links.m0.p"],
    ["gsignal", bare(l["m0.gsignal"]), "links.m0.gsignal"]], on(l["m0.g0"]));
  const p0 = st.allp.p0;
  node(NX + 250, 192, "p0", p0 ? [["status", first(p0).replace(",", ""), ""], ["m", bare(l["p0.m"]), "links.p0.m"]] : [], !!p0);
  if (on(l.g) && st.tls["-8(FS) g"] && bare(st.tls["-8(FS) g"]) === "&g0")
    arrow(`M${TX + 212} 173C${TX + 250} 173 ${NX - 40} 166 ${NX - 3} 166`, ch("tls.-8(FS) g"));
  if (on(l["m0.g0"])) arrow(`M${NX + 248} 78C${NX + 210} 78 ${NX + 140} 100 ${NX + 120} 147`, ch("links.m0.g0"));
  if (on(l["g0.m"])) arrow(`M${NX + 182} 186C${NX + 230} 180 ${NX + 214} 130 ${NX + 247} 128`, ch("links.g0.m"));
  if (on(l["m0.p"])) arrow(`M${NX + 300} 140V189`, ch("links.m0.p"));
  if (on(l["p0.m"])) arrow(`M${NX + 380} 190V141`, ch("links.p0.m"));

  // ---- Ms, Ps, queues ----
  const QY = 300, QX = TX;
  text(QX, QY - 10, t.queues, "h");
  const gs = {};
  for (const [name, v] of Object.entries(st.allgs)) gs[name] = { status: v.split(/[,:( ]/)[0], text: v, start: (v.match(/start (\S+)/) || [])[1] || "?" };
  const chip = (x, y, name) => {
    const g = gs[name] || { status: "dead", start: "?", text: "" };
    out.push(`<g class="chip${ch("allgs." + name) ? " new" : ""}"><circle cx="${x}" cy="${y}" r="13" style="fill:var(${COLOURS[g.status] || "--dead"})"/>` +
      `<text x="${x}" y="${y + 4}" text-anchor="middle" class="sm">${esc(name)}</text><title>${esc(name)}: ${esc(g.text)}</title></g>`);
  };
  const ms = Object.entries(st.allm).map(([n, v]) => ({ n, curg: (v.match(/curg (\S+?),/) || [])[1], p: (v.match(/p (\S+)$/) || [])[1], thread: (v.match(/thread (\S+?),/) || [])[1] }));
  const placed = new Set();
  let qy = QY;
  const pnames = Object.keys(st.allp);
  for (const pn of pnames.slice(0, 3)) {
    const v = st.allp[pn], m = (v.match(/m (\S+?),/) || [])[1].replace("&", ""), next = (v.match(/runnext (\S+?),/) || [])[1];
    const ring = ((v.match(/runq (.*?), mcache/) || [])[1] || "-").split(" ").filter(s => /^g\d/.test(s)), status = first(v).replace(",", "");
    const isNew = ch("allp." + pn);
    rect(QX, qy, 360, 42, `box ${isNew ? "now" : status === "running" ? "live" : ""} ${status === "idle" ? "not" : ""}`, 8);
    text(QX + 10, qy + 18, pn, "h");
    text(QX + 10, qy + 34, status, "sm k", "allp." + pn);
    text(QX + 84, qy + 26, m === "nil" ? t.nom : m, m === "nil" ? "sm k" : "");
    const mm = ms.find(x => x.n === m);
    if (mm && /^g\d/.test(mm.curg || "") && mm.curg !== "g0") { chip(QX + 122, qy + 21, mm.curg); placed.add(mm.curg) }
    text(QX + 146, qy + 25, "runnext", "sm k");
    rect(QX + 194, qy + 6, 32, 30, "slot");
    if (/^g\d/.test(next || "")) { chip(QX + 210, qy + 21, next); placed.add(next) }
    for (let i = 0; i < 4; i++) rect(QX + 234 + i * 30, qy + 6, 30, 30, "slot", 0);
    ring.slice(0, 4).forEach((g, i) => { chip(QX + 249 + i * 30, qy + 21, g); placed.add(g) });
    qy += 48;
  }
  if (pnames.length > 3) text(QX + 10, qy + 12, `+ ${pnames.length - 3} P`, "sm k");
  if (!pnames.length) { rect(QX, qy, 360, 42, "box not", 8); text(QX + 180, qy + 26, t.nop, "lab", "", "middle"); qy += 48 }
  const other = [...ms].filter(m => m.p === "nil" || !m.p);
  if (other.length) {
    text(QX, qy + 20, t.mwithout, "sm k");
    other.slice(0, 5).forEach((m, i) => {
      rect(QX + 110 + i * 50, qy + 4, 44, 24, `box ${ch("allm." + m.n) ? "now" : ""}`, 6);
      text(QX + 132 + i * 50, qy + 20, m.n, "sm", "", "middle");
    });
  }
  const SX = 800;
  rect(SX, QY, 330, 42, `box ${ch("sched.runq") ? "now" : "live"}`, 8);
  text(SX + 10, QY + 18, t.global, "h");
  text(SX + 10, QY + 34, `sched.runqsize ${st.sched.runqsize}`, "sm k");
  (st.sched.runq || "").split(" ").filter(s => /^g\d/.test(s)).slice(0, 5).forEach((g, i) => { chip(SX + 190 + i * 30, QY + 21, g); placed.add(g) });
  const rest = Object.keys(gs).filter(g => !placed.has(g));
  text(SX + 10, QY + 66, t.elsewhere, "sm k");
  if (!rest.length) text(SX + 10, QY + 88, Object.keys(gs).length ? "–" : t.nog, "lab");
  rest.slice(0, 8).forEach((g, i) => {
    const cx = SX + 22 + (i % 2) * 170, cy = QY + 88 + Math.floor(i / 2) * 30;
    chip(cx, cy, g);
    text(cx + 18, cy + 4, clip(gs[g].text.split(",")[0], 20), "sm k");
  });
  const H = Math.max(gy + GH + 20, qy + 40, QY + 88 + Math.ceil(rest.slice(0, 8).length / 2) * 30);
  return `<svg viewBox="0 0 1180 ${H}" role="img" aria-label="${esc(t.picture)}"><defs>` +
    ["tip", "tipnew"].map((id, i) => `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" style="fill:var(${i ? "--new" : "--acc"})"/></marker>`).join("") +
    `</defs>${out.join("")}</svg>`;
}
