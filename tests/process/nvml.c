/* A driver's libnvidia-ml.so.1 of one GPU, for the real pynvml to load.
 *
 * $FAKE_NVML is a list of MIG slots, one character each: a digit is a device of
 * profile <digit>g.10gb, '.' is a hole in the index list; "off" is MIG disabled.
 * Signatures: nvml.h of CUDA 12.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUCCESS 0
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define SLOTS 7

typedef int nvmlReturn_t;
typedef void *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct {
  char busIdLegacy[16];
  unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;

static int gpus[2], slots[SLOTS];

static const char *geometry(void) {
  const char *text = getenv("FAKE_NVML");
  return text ? text : "";
}

static int slot(nvmlDevice_t device) {
  for (int i = 0; i < SLOTS; i++)
    if (device == &slots[i]) return i;
  return -1;
}

nvmlReturn_t nvmlInit_v2(void) {
  return strcmp(geometry(), "no driver") ? SUCCESS : 9;
}
nvmlReturn_t nvmlInitWithFlags(unsigned int flags) { return nvmlInit_v2(); }
nvmlReturn_t nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(nvmlReturn_t result) {
  return result == 9 ? "Driver Not Loaded" : "an error";
}
nvmlReturn_t nvmlSystemGetDriverVersion(char *text, unsigned int length) {
  snprintf(text, length, "550.54.15");
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
  *count = 2;
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  *device = &gpus[index];
  return SUCCESS;
}
/* The first GPU is one without MIG: a T4, say. */
nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current,
                                  unsigned int *pending) {
  if (device == &gpus[0]) return NOT_SUPPORTED;
  *current = *pending = strcmp(geometry(), "off") != 0;
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
  *count = SLOTS;
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device,
                                                 unsigned int index,
                                                 nvmlDevice_t *mig) {
  if (index >= strlen(geometry()) || geometry()[index] == '.') return NOT_FOUND;
  *mig = &slots[index];
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *text, unsigned int length) {
  int i = slot(device);
  if (i < 0)
    snprintf(text, length, "NVIDIA A100-SXM4-80GB");
  else
    snprintf(text, length, "NVIDIA A100-SXM4-80GB MIG %cg.10gb", geometry()[i]);
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *text, unsigned int length) {
  int i = slot(device);
  if (i < 0)
    snprintf(text, length, "GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f");
  else
    snprintf(text, length, "MIG-00000000-0000-0000-0000-00000000000%d", i);
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  memory->total = 10200547328ULL;
  memory->free = memory->used = memory->total / 2;
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
  memset(pci, 0, sizeof *pci);
  snprintf(pci->busId, sizeof pci->busId, "00000000:07:00.0");
  return SUCCESS;
}
