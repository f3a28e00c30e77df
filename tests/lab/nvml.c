/* A driver's libnvidia-ml.so.1, for the real pynvml to load.
 *
 * The GPUs are in machine.h, which machines.py writes from a JSON description; it
 * also defines WITHOUT_<function> for what this driver does not have yet.
 * Signatures: nvml.h of CUDA 12.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { OFF, ON, PENDING, UNSUPPORTED };
struct device {
  int slot, gi, ci;
  unsigned sm, gi_slices, ci_slices;
  unsigned long long memory_mb;
  const char *profile, *uuid;
};
struct gpu {
  const char *name, *uuid, *bus_id;
  int mig, lost;
  unsigned power_mw, temperature, sm_mhz, memory_mhz;
  unsigned long long reasons;
  unsigned sms;
  unsigned slots, devices;
  struct device *device;
};

#include "machine.h"

enum { SUCCESS = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, GPU_IS_LOST = 15 };
typedef int nvmlReturn_t;
typedef void *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct {
  char busIdLegacy[16];
  unsigned domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;
typedef struct {
  unsigned multiprocessorCount, sharedCopyEngineCount, sharedDecoderCount;
  unsigned sharedEncoderCount, sharedJpegCount, sharedOfaCount;
  unsigned gpuInstanceSliceCount, computeInstanceSliceCount;
  unsigned long long memorySizeMB;
} nvmlDeviceAttributes_t;

typedef struct {
  unsigned id, isP2pSupported, sliceCount, instanceCount, multiprocessorCount;
  unsigned copyEngineCount, decoderCount, encoderCount, jpegCount, ofaCount;
  unsigned long long memorySizeMB;
} nvmlGpuInstanceProfileInfo_t;

static struct gpu *parent(nvmlDevice_t handle, struct device **device) {
  *device = NULL;
  for (struct gpu *gpu = GPUS; gpu < GPUS + GPU_COUNT; gpu++) {
    if (handle == gpu) return gpu;
    for (unsigned i = 0; i < gpu->devices; i++)
      if (handle == &gpu->device[i]) {
        *device = &gpu->device[i];
        return gpu;
      }
  }
  return NULL;
}

nvmlReturn_t nvmlInitWithFlags(unsigned flags) { return INIT; }
nvmlReturn_t nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(nvmlReturn_t result) { return "an error"; }

nvmlReturn_t nvmlSystemGetDriverVersion(char *text, unsigned length) {
  snprintf(text, length, "%s", DRIVER);
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) {
  *count = GPU_COUNT;
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device) {
  if (index >= GPU_COUNT) return INVALID;
  if (GPUS[index].lost) return GPU_IS_LOST;
  *device = &GPUS[index];
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t handle, unsigned *current,
                                  unsigned *pending) {
  struct device *device;
  int mig = parent(handle, &device)->mig;
  if (mig == UNSUPPORTED) return NOT_SUPPORTED;
  *current = mig == ON;
  *pending = mig != OFF;
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t handle, unsigned *count) {
  struct device *device;
  *count = parent(handle, &device)->slots;
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t handle, unsigned index,
                                                 nvmlDevice_t *mig) {
  struct device *none;
  struct gpu *gpu = parent(handle, &none);
  for (unsigned i = 0; i < gpu->devices; i++)
    if (gpu->device[i].slot == (int)index) {
      *mig = &gpu->device[i];
      return SUCCESS;
    }
  return NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t handle, char *text, unsigned length) {
  struct device *device;
  struct gpu *gpu = parent(handle, &device);
  if (device)
    snprintf(text, length, "%s MIG %s", gpu->name, device->profile);
  else
    snprintf(text, length, "%s", gpu->name);
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t handle, char *text, unsigned length) {
  struct device *device;
  struct gpu *gpu = parent(handle, &device);
  snprintf(text, length, "%s", device ? device->uuid : gpu->uuid);
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t handle, nvmlMemory_t *memory) {
  struct device *device;
  parent(handle, &device);
  if (!device) return NOT_SUPPORTED;
  memory->total = device->memory_mb << 20;
  memory->free = memory->used = memory->total / 2;
  return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t handle, nvmlPciInfo_t *pci) {
  struct device *device;
  memset(pci, 0, sizeof *pci);
  snprintf(pci->busId, sizeof pci->busId, "%s", parent(handle, &device)->bus_id);
  return SUCCESS;
}

#ifndef WITHOUT_nvmlDeviceGetGpuInstanceId
nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t handle, unsigned *id) {
  struct device *device;
  parent(handle, &device);
  if (!device) return INVALID;
  *id = device->gi;
  return SUCCESS;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetComputeInstanceId
nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t handle, unsigned *id) {
  struct device *device;
  parent(handle, &device);
  if (!device) return INVALID;
  *id = device->ci;
  return SUCCESS;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetAttributes_v2
nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t handle,
                                        nvmlDeviceAttributes_t *attributes) {
  struct device *device;
  parent(handle, &device);
  if (!device) return INVALID;
  memset(attributes, 0, sizeof *attributes);
  attributes->multiprocessorCount = device->sm;
  attributes->gpuInstanceSliceCount = device->gi_slices;
  attributes->computeInstanceSliceCount = device->ci_slices;
  attributes->memorySizeMB = device->memory_mb;
  return SUCCESS;
}
#endif

/* The largest GPU instance: of 7 slices (profile 4), or of 4 (profile 3). */
nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfo(nvmlDevice_t handle, unsigned profile,
                                                 nvmlGpuInstanceProfileInfo_t *info) {
  struct device *device;
  struct gpu *gpu = parent(handle, &device);
  if (profile != (gpu->slots == 4 ? 3 : 4)) return INVALID;
  memset(info, 0, sizeof *info);
  info->multiprocessorCount = gpu->sms;
  return gpu->sms ? SUCCESS : NOT_SUPPORTED;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *handle) {
  for (struct gpu *gpu = GPUS; gpu < GPUS + GPU_COUNT; gpu++) {
    if (!strcmp(gpu->uuid, uuid)) *handle = gpu;
    for (unsigned i = 0; i < gpu->devices; i++)
      if (!strcmp(gpu->device[i].uuid, uuid)) *handle = &gpu->device[i];
  }
  return *handle ? SUCCESS : NOT_FOUND;
}

/* A figure of 0 is one that this machine does not offer; MIG devices have none. */
static nvmlReturn_t figure(nvmlDevice_t handle, size_t offset, unsigned *value) {
  struct device *device;
  struct gpu *gpu = parent(handle, &device);
  if (device) return NOT_SUPPORTED;
  *value = *(unsigned *)((char *)gpu + offset);
  return *value ? SUCCESS : NOT_SUPPORTED;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t handle, unsigned *milliwatts) {
  static unsigned asked;
  nvmlReturn_t result = figure(handle, offsetof(struct gpu, power_mw), milliwatts);
  *milliwatts += 1000 * (asked++ % 2);
  return result;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t handle, int sensor,
                                      unsigned *degrees) {
  return figure(handle, offsetof(struct gpu, temperature), degrees);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t handle, int clock, unsigned *mhz) {
  size_t offset = clock == 1 ? offsetof(struct gpu, sm_mhz)
                             : offsetof(struct gpu, memory_mhz);
  return figure(handle, offset, mhz);
}

static nvmlReturn_t reasons_of(nvmlDevice_t handle, unsigned long long *reasons) {
  struct device *device;
  struct gpu *gpu = parent(handle, &device);
  if (device) return NOT_SUPPORTED;
  *reasons = gpu->reasons;
  return SUCCESS;
}

#ifndef WITHOUT_nvmlDeviceGetCurrentClocksEventReasons
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t handle,
                                                    unsigned long long *reasons) {
  return reasons_of(handle, reasons);
}
#endif

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t handle,
                                                       unsigned long long *reasons) {
  return reasons_of(handle, reasons);
}
