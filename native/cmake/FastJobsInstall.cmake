# What `cmake --install` puts below the prefix: the library with its symbolic links, the headers, fastjobs.pc and the
# CMake package. Nothing installed knows the prefix, so that it can be moved; tests/native/install_test.sh moves it.
include(CMakePackageConfigHelpers)

install(FILES ${_out}/${FASTJOBS_FILE} DESTINATION ${CMAKE_INSTALL_LIBDIR}
  PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(FILES ${_out}/${FASTJOBS_SONAME} ${FASTJOBS_LIBRARY} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/native/include/fastjobs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
foreach(_section 3 7)
  file(GLOB _pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/native/man/*.${_section})
  install(FILES ${_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${_section})
endforeach()

# From the directory of fastjobs.pc to the prefix: "../..", or more where the library directory is deeper.
set(FASTJOBS_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  file(RELATIVE_PATH _up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" _up ${_up})
  set(FASTJOBS_PC_PREFIX "\${pcfiledir}/${_up}")
endif()
foreach(_dir LIB INCLUDE)
  if(IS_ABSOLUTE ${CMAKE_INSTALL_${_dir}DIR})
    set(FASTJOBS_PC_${_dir}DIR ${CMAKE_INSTALL_${_dir}DIR})
  else()
    set(FASTJOBS_PC_${_dir}DIR "\${prefix}/${CMAKE_INSTALL_${_dir}DIR}")
  endif()
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/fastjobs.pc.in ${PROJECT_BINARY_DIR}/package/fastjobs.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/fastjobs.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/FastJobs)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/FastJobsConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/FastJobsConfig.cmake
  INSTALL_DESTINATION ${_package} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
configure_file(${CMAKE_CURRENT_LIST_DIR}/FastJobsTargets.cmake.in
  ${PROJECT_BINARY_DIR}/package/FastJobsTargets.cmake @ONLY)
# Before 1.0 a minor version may break what an earlier one promised.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/FastJobsConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/package/FastJobsConfig.cmake
  ${PROJECT_BINARY_DIR}/package/FastJobsConfigVersion.cmake
  ${PROJECT_BINARY_DIR}/package/FastJobsTargets.cmake
  DESTINATION ${_package})
