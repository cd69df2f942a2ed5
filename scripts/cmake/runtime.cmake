# libboot.a (target bootrt): the runtime in pure mode, and go_asm.h for its assembly. libboot_hosted.a (bootrt_hosted): the
# same for programs with libc.

# ---- go_asm.h: compiled to text, then rewritten; the depfile makes it follow every header ----
set(go_asm_dir "${PROJECT_BINARY_DIR}/asm")
file(MAKE_DIRECTORY "${go_asm_dir}")
add_custom_command(
  OUTPUT "${go_asm_dir}/go_asm.h"
  COMMAND "${CMAKE_CXX_COMPILER}" -std=c++20 -S -O1 -fno-exceptions -Wno-invalid-offsetof "-I${PROJECT_SOURCE_DIR}"
          -MD -MF "${go_asm_dir}/go_asm.d" -MT asm/go_asm.h -o "${go_asm_dir}/go_asm.s"
          "${PROJECT_SOURCE_DIR}/asm/go_asm.cpp"
  COMMAND "${CMAKE_COMMAND}" "-DIN=${go_asm_dir}/go_asm.s" "-DOUT=${go_asm_dir}/go_asm.h"
          -P "${PROJECT_SOURCE_DIR}/scripts/cmake/go_asm.cmake"
  DEPENDS "${PROJECT_SOURCE_DIR}/asm/go_asm.cpp" "${PROJECT_SOURCE_DIR}/scripts/cmake/go_asm.cmake"
  DEPFILE "${go_asm_dir}/go_asm.d"
  COMMENT "Generating asm/go_asm.h"
  VERBATIM)
add_custom_target(go_asm DEPENDS "${go_asm_dir}/go_asm.h")

# ---- flags ----
# Distributions switch hardening on by default; what needs libc or would move the stack under us is switched off.
# Code that can be loaded anywhere serves programs at a fixed address as well, but takes 2 % more room.
option(BOOT_PIE "Build the library so that boot_add_executable(NAME PIE ...) works" OFF)
if(BOOT_PIE)
  set(pie_flag -fPIE)
else()
  set(pie_flag -fno-pie)
endif()
set(BOOT_NO_HARDENING
    -U_FORTIFY_SOURCE -fno-stack-protector -fno-stack-clash-protection -fcf-protection=none ${pie_flag})
set(BOOT_RUNTIME_FLAGS
    ${BOOT_NO_HARDENING} -ffunction-sections -fdata-sections -fno-exceptions -fno-rtti -fno-threadsafe-statics
    -mno-red-zone -fasynchronous-unwind-tables -fno-omit-frame-pointer
    # throw ends in a store to address 0 on purpose, as Go's does.
    -fno-delete-null-pointer-checks $<$<CXX_COMPILER_ID:GNU>:--param=min-pagesize=0>)
# Warnings are errors with the compiler that the tests run with; a newer one may have others, and its users no use of them.
set(BOOT_WARNINGS -Wall -Wextra -Wno-invalid-offsetof)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND BOOT_WARNINGS -Werror)
endif()
# At -Og gcc follows too few values to know what is initialised, and guesses.
list(APPEND BOOT_WARNINGS $<$<CONFIG:Debug>:-Wno-maybe-uninitialized>)
# fmt: no locale, and no assertions that would print through stdio.
set(BOOT_FMT_FLAGS "-DFMT_STATIC_THOUSANDS_SEPARATOR=','" "-DFMT_ASSERT(condition,message)=((void)0)")

# Which sanitizer hosted programs and unit tests are built with (programs.cmake); the library must know of this one.
set(BOOT_SANITIZE "" CACHE STRING "address or thread: hosted programs and unit tests under this sanitizer, and only they")
if(BOOT_SANITIZE STREQUAL "thread")
  add_compile_definitions(BOOT_TSAN)
endif()

# ---- the library ----
file(GLOB_RECURSE runtime_sources CONFIGURE_DEPENDS
     "${PROJECT_SOURCE_DIR}/runtime/*.cpp" "${PROJECT_SOURCE_DIR}/boot/*.cpp" "${PROJECT_SOURCE_DIR}/asm/*.S")
list(FILTER runtime_sources EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/(runtime/cgo|boot/cmd)/|/rt0_pie_linux_amd64\\.S$")
add_library(bootrt STATIC ${runtime_sources})
add_library(boot::bootrt ALIAS bootrt)
add_dependencies(bootrt go_asm)
set_target_properties(bootrt PROPERTIES OUTPUT_NAME boot POSITION_INDEPENDENT_CODE OFF)
target_compile_features(bootrt PUBLIC cxx_std_20)
target_include_directories(bootrt PRIVATE "${PROJECT_SOURCE_DIR}" "${go_asm_dir}")
target_include_directories(bootrt INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<INSTALL_INTERFACE:include/boot-runtime>")
target_compile_definitions(bootrt PRIVATE $<$<CONFIG:Debug>:BOOT_LOCKRANK>)
target_compile_options(bootrt PRIVATE
  # __FILE__ is told to people (boot steps, throws): relative to the project, wherever it was built.
  "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/="
  "$<$<COMPILE_LANGUAGE:CXX>:${BOOT_RUNTIME_FLAGS};${BOOT_WARNINGS};${BOOT_FMT_FLAGS}>")

# What stands in for libc must not be compiled into calls of itself; what exceptions pass through (*_exc.cpp and the
# public layer) needs their tables.
foreach(source IN LISTS runtime_sources)
  if(source MATCHES "_exc\\.cpp$" OR source MATCHES "^${PROJECT_SOURCE_DIR}/boot/")
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
  elseif(source MATCHES "/runtime/diag/debugnames\\.cpp$")
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS -g0)  # it writes debug information of its own
  elseif(source MATCHES "^${PROJECT_SOURCE_DIR}/runtime/cxx/")
    set_source_files_properties("${source}" PROPERTIES
      COMPILE_OPTIONS "-fno-builtin;-fno-tree-loop-distribute-patterns")
  endif()
endforeach()

# Assembly that includes go_asm.h is found by the compiler's own dependency scan only from its second build on.
file(GLOB asm_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/asm/*.S")
set_source_files_properties(${asm_sources} PROPERTIES OBJECT_DEPENDS "${go_asm_dir}/go_asm.h")

# ---- what is different in a program that can be loaded anywhere: its entry, and the sections of constant addresses ----
if(BOOT_PIE)
  add_library(bootrt_pie STATIC ${asm_sources})
  add_library(boot::bootrt_pie ALIAS bootrt_pie)
  add_dependencies(bootrt_pie go_asm)
  set_target_properties(bootrt_pie PROPERTIES OUTPUT_NAME boot_pie LINKER_LANGUAGE CXX)
  target_compile_definitions(bootrt_pie PRIVATE BOOT_PIE)
  target_include_directories(bootrt_pie PRIVATE "${PROJECT_SOURCE_DIR}" "${go_asm_dir}")
  target_compile_options(bootrt_pie PRIVATE "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
endif()

# ---- the library for hosted mode ----
# Mostly the same object files: not what stands in for libc (runtime/cxx) and, compiled anew with BOOT_HOSTED, what is
# different there: the entry, memmove's names, stack sizes, fmt with locales.
set(hosted_anew "")
foreach(source IN LISTS runtime_sources)
  file(STRINGS "${source}" mentions REGEX "kStackSl|BOOT_HOSTED" LIMIT_COUNT 1)
  if(mentions AND NOT source MATCHES "/runtime/cxx/" OR source MATCHES "/runtime/cxx/(fmt_exc|inittrace)\\.cpp$")
    list(APPEND hosted_anew "${source}")
  endif()
endforeach()
set(hosted_not_same "/runtime/cxx/")
foreach(source IN LISTS hosted_anew)
  file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}" "${source}")
  string(REPLACE "." "\\." name "/${name}.o$")
  string(APPEND hosted_not_same "|${name}")
endforeach()
file(GLOB hosted_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/runtime/cgo/*.cpp")
foreach(source IN LISTS hosted_sources)
  if(source MATCHES "_exc\\.cpp$")
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
  endif()
endforeach()
add_library(bootrt_hosted STATIC ${hosted_sources} ${hosted_anew}
  "$<FILTER:$<TARGET_OBJECTS:bootrt>,EXCLUDE,${hosted_not_same}>")
add_library(boot::bootrt_hosted ALIAS bootrt_hosted)
add_dependencies(bootrt_hosted go_asm)
set_target_properties(bootrt_hosted PROPERTIES OUTPUT_NAME boot_hosted POSITION_INDEPENDENT_CODE OFF)
target_compile_definitions(bootrt_hosted PRIVATE BOOT_HOSTED)
foreach(property INCLUDE_DIRECTORIES COMPILE_OPTIONS COMPILE_FEATURES INTERFACE_INCLUDE_DIRECTORIES
        INTERFACE_COMPILE_FEATURES)
  get_target_property(value bootrt ${property})
  set_property(TARGET bootrt_hosted PROPERTY ${property} "${value}")
endforeach()
target_compile_definitions(bootrt_hosted PRIVATE $<$<CONFIG:Debug>:BOOT_LOCKRANK>)
