// spdlog on goroutines: who logs is in each line. GODEBUG=schedtrace=1 shows the runtime's own reports among the others.
#include <boot/boot.h>
#include <boot/log.h>

void main_main() {
  boot::log().set_level(spdlog::level::debug);
  boot::log_reports();
  boot::log().info("hello from {}", boot::os::Args()[0]);
  boot::sync::WaitGroup done;
  for (int i = 1; i <= 3; i++) {
    done.Add(1);
    boot::go([&done, i] {
      boot::log().info("goroutine {} of 3", i);
      runtime::Gosched();
      boot::log().debug("goroutine {} is here again", i);
      done.Done();
    });
  }
  done.Wait();
  boot::log().warn("that was all");
}
