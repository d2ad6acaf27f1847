"""Makes pytorch_state_dict.safetensors and .json with PyTorch: `python pytorch_state_dict.py`."""

import json
import pathlib

import torch
from safetensors.torch import save_file

torch.manual_seed(1)


class Hamiltonian(torch.nn.Module):
    """Two hidden layers, no bias on the last."""

    def __init__(self):
        super().__init__()
        self.linear1 = torch.nn.Linear(2, 8)
        self.linear2 = torch.nn.Linear(8, 8)
        self.linear3 = torch.nn.Linear(8, 1, bias=False)

    def forward(self, x):
        return self.linear3(torch.tanh(self.linear2(torch.tanh(self.linear1(x)))))


model = Hamiltonian().double()
x = torch.tensor([[0.3, -0.7], [1.2, 0.4], [-0.9, 0.1]], dtype=torch.float64, requires_grad=True)
energy = model(x)
(gradient,) = torch.autograd.grad(energy.sum(), x)
here = pathlib.Path(__file__).with_suffix("")
save_file(model.state_dict(), here.with_suffix(".safetensors"))
numbers = {"torch": torch.__version__, "x": x.tolist(), "H": energy.view(-1).tolist()}
here.with_suffix(".json").write_text(json.dumps({**numbers, "grad_H": gradient.tolist()}, indent=1))
