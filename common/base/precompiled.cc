// Holds nothing: a target needs a source (common/base/precompiled.h).
