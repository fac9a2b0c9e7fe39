using System.Runtime.InteropServices;
using TorchSharp;

namespace Federated.Training.Torch.Native;

/// <summary>The first touch of torch's native libraries, where their absence can be told in words a person can act on.</summary>
internal static class TorchLibrary
{
    /// <summary>Loads the libraries and opens a device.</summary>
    /// <exception cref="PlatformNotSupportedException">The libraries are not there, do not load on this system, or are of another version.</exception>
    /// <exception cref="ArgumentException">The device is unknown or not available.</exception>
    public static torch.Device Open(string device)
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or NotSupportedException or BadImageFormatException)
        {
            throw new PlatformNotSupportedException(
                $"torch does not load on {RuntimeInformation.RuntimeIdentifier}: {e.GetBaseException().Message} Its libraries exist for Linux x64 (glibc 2.34, "
                + "libstdc++ of GCC 12, or later), Windows x64 and macOS arm64. Use the ONNX Runtime engine.",
                e);
        }

        OneDnn.EnsureOff();
        return device == "cpu" ? torch.CPU : OpenCuda(device);
    }

    private static torch.Device OpenCuda(string device)
    {
        bool isCuda = device == "cuda" || (device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), out int index) && index >= 0);
        if (!isCuda)
        {
            throw new ArgumentException($"The torch device is '{device}'; 'cpu', 'cuda' and 'cuda:INDEX' are known.", nameof(device));
        }

        return torch.cuda.is_available()
            ? torch.device(device)
            : throw new ArgumentException(
                $"The torch device is '{device}', but torch finds no CUDA here. Use 'cpu', or build with the libtorch-cuda package on a machine with a driver.",
                nameof(device));
    }
}
