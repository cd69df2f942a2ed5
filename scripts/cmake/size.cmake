# What is compiled for size: code that prints, reports and traces, and what runs once at the start or when threads come
# and go. It runs rarely and is linked into every program (throw prints); fmt's formatters alone are twice as large for
# speed.
foreach(source IN LISTS runtime_sources)
  if(source MATCHES "/runtime/(diag/.*|base/.*|cxx/(stdio|fmt_exc|strtold|libc|atexit|time|pthread_.*)|sched/(iface|proc_m|proc_handoff|proc_world|proc_sysmon)|os/(cgroup_linux|symtab|vdso.*|os_linux|os_signal|cpu_x86|env_posix))\\.cpp$"
     OR source MATCHES "/boot/(panic|unhandled|os|os_error|signal)\\.cpp$")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS "$<$<NOT:$<CONFIG:Debug>>:-Os>")
  endif()
endforeach()
