// Since when a goroutine waits: the collector writes it down, the traceback tells it after a minute, and running forgets it.
// CLAIMS: [C54] [C55]
// PROCS: 1 2
// STDOUT: waits, not noted
// STDOUT: noted by the collection
// STDOUT: the first note stays
// STDOUT: goroutine [chan receive, 2 minutes]
// STDOUT: forgotten when it ran
#include "claims.h"

#include <string>
#include <string_view>

namespace {

runtime::g* theG;

void say(bool ok, std::string_view text) { boot::println("{}{}", ok ? "" : "NOT: ", text); }

// What stands behind "goroutine N" in the traceback of all.
std::string state(std::int64_t id) {
  static char buf[64 << 10];
  std::string_view all(buf, runtime::Stack(buf, sizeof buf, true));
  std::string head = "goroutine " + std::to_string(id) + " ";
  std::size_t at = all.find(head);
  if (at == std::string_view::npos) return "none";
  at += head.size();
  return std::string(all.substr(at, all.find(':', at) - at));
}

void settle() {
  while (runtime::readgstatus(theG) != runtime::_Gwaiting) boot::time::Sleep(std::chrono::milliseconds(1));
}

}  // namespace

void main_main() {
  auto c = boot::make_chan<int>();
  boot::go([c] {
    theG = runtime::getg();
    for (int i = 0; i < 3; i++) c.recv();
  });
  c.send(1);
  settle();
  say(theG->waitsince == 0, "waits, not noted");
  std::int64_t before = runtime::nanotime();
  runtime::GC();
  std::int64_t noted = theG->waitsince;
  say(noted >= before && noted <= runtime::nanotime(), "noted by the collection");
  runtime::GC();
  say(theG->waitsince == noted, "the first note stays");
  theG->waitsince -= 125ll * 1000 * 1000 * 1000;
  boot::println("goroutine {}", state(theG->goid));
  c.send(2);
  settle();
  say(theG->waitsince == 0 && state(theG->goid) == "[chan receive]", "forgotten when it ran");
  c.send(3);
}
