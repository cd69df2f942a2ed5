# The programs: boot/cmd/NAME.cpp or boot/cmd/NAME/* become bin/NAME, tests/progs/NAME.cpp (with NAME.S, if there is
# one) bin/progs/NAME, tests/bench bin/bench. With a directive `HOSTED: also` or `HOSTED: only` (tests/spec.py) a program of
# tests/progs is bin/progs/hosted/NAME too, in hosted mode, or only that.

function(boot_own_executable name)
  boot_add_executable(${name} ${ARGN})
  if(BOOT_SANITIZE)
    if("HOSTED" IN_LIST ARGN)
      boot_sanitize(${name} ${BOOT_SANITIZE})
    else()
      set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
  target_compile_options(${name} PRIVATE
    "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=" "$<$<COMPILE_LANGUAGE:CXX>:${BOOT_WARNINGS}>")
endfunction()

# The presets hosted-asan and hosted-tsan: programs in hosted mode and unit tests are compiled with a sanitizer. Without them
# only those are that ask for it (SANITIZE: address).
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -fsanitize=address)
check_cxx_source_compiles("int main() {}" BOOT_HAVE_ASAN)
unset(CMAKE_REQUIRED_FLAGS)
if(BOOT_SANITIZE STREQUAL "address" AND NOT BOOT_HAVE_ASAN)
  message(FATAL_ERROR "${CMAKE_CXX_COMPILER} has no AddressSanitizer")
endif()
function(boot_sanitize target sanitizer)
  # gcc 12 takes the C++ library's own members for uninitialized when it has instrumented them.
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${sanitizer};-Wno-maybe-uninitialized>")
  target_link_options(${target} PRIVATE "-fsanitize=${sanitizer}")
endfunction()

# boot/log.h is for who has spdlog; scripts/setup installs it.
find_package(spdlog CONFIG QUIET)
find_package(fmt CONFIG QUIET)

file(GLOB entries CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/boot/cmd/*")
foreach(entry IN LISTS entries)
  get_filename_component(name "${entry}" NAME_WE)
  if(IS_DIRECTORY "${entry}")
    file(GLOB sources CONFIGURE_DEPENDS "${entry}/*.cpp" "${entry}/*.S")
  elseif(entry MATCHES "\\.cpp$")
    set(sources "${entry}")
  else()
    set(sources "")
  endif()
  # Programs that use libc's world say so by their name.
  if(sources AND name MATCHES "^spdlog_")
    if(spdlog_FOUND)
      boot_own_executable(${name} HOSTED ${sources})
      target_link_libraries(${name} PRIVATE spdlog::spdlog)
    endif()
  elseif(sources)
    boot_own_executable(${name} ${sources})
  endif()
endforeach()

file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/bench/*.cpp" "${PROJECT_SOURCE_DIR}/tests/bench/*.S")
if(sources)
  boot_own_executable(bench ${sources})
endif()

if(NOT DEFINED BUILD_TESTING OR BUILD_TESTING)
  # Packages that only the tests need. Whether they are there is a definition, so that what was compiled without them is
  # compiled again when they have come.
  find_path(BOOT_NLOHMANN_JSON nlohmann/json.hpp)
  find_path(BOOT_RAPIDJSON rapidjson/document.h)
  set(json 0)
  if(BOOT_NLOHMANN_JSON AND BOOT_RAPIDJSON)
    set(json 1)
  endif()
  set_source_files_properties("${PROJECT_SOURCE_DIR}/tests/progs/cxx_json.cpp" PROPERTIES
    COMPILE_DEFINITIONS BOOT_HAVE_JSON=${json})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/progs/*.cpp")
  foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME_WE)
    file(GLOB companion CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/progs/${name}.S")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    file(STRINGS "${source}" pie REGEX "^// PIE: also$")
    if(pie AND BOOT_PIE)
      boot_own_executable(pie_${name} PIE "${source}" ${companion})
      set_target_properties(pie_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/progs/pie")
    endif()
    file(STRINGS "${source}" hosted REGEX "^// HOSTED: (also|only)$")
    if(NOT hosted MATCHES "only")
      boot_own_executable(prog_${name} "${source}" ${companion})
      set_target_properties(prog_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/progs")
    endif()
    file(STRINGS "${source}" logs REGEX "^#include <boot/log.h>$")
    file(STRINGS "${source}" sanitize REGEX "^// SANITIZE: (address|thread)$")
    set(left_out OFF)
    if(sanitize MATCHES "thread" AND NOT BOOT_SANITIZE STREQUAL "thread" OR
       sanitize MATCHES "address" AND (BOOT_SANITIZE STREQUAL "thread" OR NOT BOOT_HAVE_ASAN))
      set(left_out ON)
    endif()
    if(hosted AND (spdlog_FOUND OR NOT logs) AND NOT left_out)
      boot_own_executable(hosted_${name} HOSTED "${source}" ${companion})
      if(sanitize AND NOT BOOT_SANITIZE)
        boot_sanitize(hosted_${name} address)
      endif()
      if(logs)
        target_link_libraries(hosted_${name} PRIVATE spdlog::spdlog)
      endif()
      set_target_properties(hosted_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/progs/hosted")
    endif()
    # A program that includes <boot/boot.h> before all else has it from one precompiled copy, which the first such program
    # makes: half of the time to compile it.
    file(STRINGS "${source}" includes REGEX "^#include " LIMIT_COUNT 1)
    if(includes MATCHES "<boot/boot.h>" AND NOT name MATCHES "^(gdb|claims)_" AND NOT companion AND NOT BOOT_SANITIZE)
      foreach(kind prog hosted)
        if(NOT TARGET ${kind}_${name} OR (kind STREQUAL "hosted" AND (logs OR sanitize)))
        elseif(boot_pch_${kind})
          target_precompile_headers(${kind}_${name} REUSE_FROM ${boot_pch_${kind}})
        else()
          target_precompile_headers(${kind}_${name} PRIVATE <boot/boot.h>)
          set(boot_pch_${kind} ${kind}_${name})
        endif()
      endforeach()
    endif()
    # Lines, for tracebacks; all else that a debugger wants of a hundred programs takes a third of the time to compile them.
    if(NOT name MATCHES "^(gdb|claims)_")
      foreach(target prog_${name} hosted_${name})
        if(TARGET ${target})
          target_compile_options(${target} PRIVATE "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-g1>")
        endif()
      endforeach()
    endif()
  endforeach()
endif()
