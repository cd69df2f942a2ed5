# What `cmake --install` lays down, and what find_package(boot CONFIG) finds there. The prefix can be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/boot")
# The runtime's headers lie in a folder of their own: include/runtime would be anybody's.
set(header_dir "${CMAKE_INSTALL_INCLUDEDIR}/boot-runtime")

set(libraries bootrt bootrt_hosted)
if(BOOT_PIE)
  list(APPEND libraries bootrt_pie)
endif()
install(TARGETS ${libraries} EXPORT boot-targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT boot-targets NAMESPACE boot:: DESTINATION "${package_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/boot" DESTINATION "${header_dir}"
  FILES_MATCHING PATTERN "*.h" PATTERN "cmd" EXCLUDE)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime" DESTINATION "${header_dir}" FILES_MATCHING PATTERN "*.h")

configure_package_config_file("${PROJECT_SOURCE_DIR}/scripts/cmake/bootConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/bootConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/bootConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/bootConfig.cmake" "${PROJECT_BINARY_DIR}/bootConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/scripts/cmake/boot.cmake" "${PROJECT_SOURCE_DIR}/asm/text.ld"
  "${PROJECT_SOURCE_DIR}/asm/text_hosted.ld"
  "${PROJECT_SOURCE_DIR}/scripts/pclntab.py" DESTINATION "${package_dir}")
